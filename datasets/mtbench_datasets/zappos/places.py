"""Files and folders of UT-Zappos50K, found by their contents, and pictures under the names that archives give them.

Folders of pictures are named after makers. image-path.mat, the archive of pictures and that of square pictures spell
some of them differently: a dot at the end is missing or written ``%2E``, and a sign is written as in HTML (``&#174;``).
"""

import html
import os
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .vocabulary import CATEGORIES

__all__ = ["LISTS", "Pictures", "find_file", "find_lists", "find_pictures", "plain"]

DEPTH = 3
"""Depth below the dataset's folder to which its parts are looked for: archives are often unpacked into folders of their
names."""
LISTS = "tripletlists"


def find_pictures(folder: Path) -> Path | None:
    """Return the folder that has Boots, Sandals and so on in it; of several the one that is not of square pictures."""
    found = [path for path in _folders(folder) if any((path / name).is_dir() for name in CATEGORIES)]
    return min(found, key=lambda path: "square" in str(path.relative_to(folder)), default=None)


def find_file(folder: Path, name: str) -> Path | None:
    """Return the first file of a name, the shallowest."""
    return next((path / name for path in _folders(folder) if os.path.isfile(path / name)), None)


def find_lists(folder: Path) -> Path | None:
    """Return the folder that has public triplet lists, ``tripletlists``, in it."""
    return next((path for path in _folders(folder) if (path / LISTS).is_dir()), None)


def _folders(folder: Path) -> Iterator[Path]:
    """Yield a folder and those below it, level by level, except those of pictures."""
    level = [folder]
    for _ in range(DEPTH + 1):
        yield from level
        level = [
            Path(entry.path)
            for path in level
            for entry in _entries(path)
            if entry.is_dir() and entry.name not in CATEGORIES and not entry.name.startswith(".")
        ]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it is missing, or there is no permission to read it
        return []


def plain(path: str) -> str:
    """Return a path as all archives spell it alike: without signs of trade marks, and dots and spaces at ends."""
    return "/".join(_plain(part) for part in path.split("/"))


def _plain(part: str) -> str:
    text = unicodedata.normalize("NFC", urllib.parse.unquote(html.unescape(part)))
    return " ".join(text.replace("®", " ").replace("™", " ").split()).rstrip(". ")


class Pictures:
    """The pictures below a folder.

    Attributes:
        repaired: number of paths that were found under another spelling, by the difference.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repaired: Counter[str] = Counter()
        self._listed: dict[str, set[str]] = {}
        self._alike: dict[str, list[str]] = {}

    def find(self, path: str) -> str | None:
        """Return the path of a picture below `root`; None if it is missing.

        Args:
            path: the path in image-path.mat.
        """
        folder, _, name = path.rpartition("/")
        for candidate in self._candidates(folder):
            if name in self._names(candidate):
                if candidate != folder:
                    self.repaired[_difference(folder, candidate)] += 1
                return f"{candidate}/{name}" if candidate else name
        return None

    def _candidates(self, folder: str) -> list[str]:
        """Return the folders that may be meant: first the one of the very name, then those that are spelt alike."""
        if folder not in self._alike:
            parent, _, name = folder.rpartition("/")
            found = []
            for above in self._candidates(parent) if parent else [""]:
                alike = sorted(each for each in self._names(above) if _plain(each) == _plain(name))
                found += [f"{above}/{each}" if above else each for each in alike]
            self._alike[folder] = sorted(found, key=lambda each: each != folder) if folder else [""]
        return self._alike[folder]

    def _names(self, folder: str) -> set[str]:
        if folder not in self._listed:
            try:
                self._listed[folder] = set(os.listdir(self.root / folder))
            except OSError:
                self._listed[folder] = set()
        return self._listed[folder]


def _difference(listed: str, found: str) -> str:
    """Return in words how a folder differs from the name that it is listed under."""
    one, other = next(pair for pair in zip(listed.split("/"), found.split("/"), strict=True) if pair[0] != pair[1])
    if urllib.parse.unquote(one) != one or urllib.parse.unquote(other) != other:
        return "a dot is written %2E"
    if html.unescape(one) != one or html.unescape(other) != other:
        return "a sign is written as in HTML"
    if one.rstrip(".") == other.rstrip("."):
        return "a dot at the end is missing"
    return "signs or spaces differ"
