"""Files of results for reading, below a folder or in a pack.

A file in a pack has the path of the pack and then its path there: ``evidence.zip/mmnist2/td/seed-0-.../record.json``.
So a run is named in one way wherever it lies. Everything that reads results reads through these functions.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.store.pack.archive import Pack, open_pack
from mtbench.store.pack.index import SUFFIX

__all__ = ["files_below", "inside", "is_there", "read_bytes", "refuse_pack", "size_of", "sum_of"]

_PACK = re.compile(rf"{re.escape(SUFFIX)}(?={re.escape(os.sep)}|$)")


def inside(path: Path) -> tuple[Pack, str] | None:
    """Return the pack that a path is in or names, and the path in it, empty for the pack; None outside of packs.

    Raises:
        StoreError, NewerResults: see `mtbench.store.pack.archive.Pack`.
    """
    text = os.fspath(path)
    if SUFFIX not in text:  # nearly every path: it is as fast as without packs
        return None
    for ending in _PACK.finditer(text):
        if (pack := open_pack(text[: ending.end()])) is not None:
            return pack, text[ending.end() + 1 :].replace(os.sep, "/")
    return None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: it cannot be read; FileNotFoundError if there is none.
        DamagedRecord: it is in a pack and does not match its sum there.
        StoreError, NewerResults: see `inside`.
    """
    found = inside(path)
    return path.read_bytes() if found is None else found[0].read(found[1])


def size_of(path: Path) -> int | None:
    """Return the number of bytes of a file; None if there is none.

    Raises:
        StoreError, NewerResults: see `inside`.
    """
    if (found := inside(path)) is not None:
        return found[0].size(found[1])
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size if stat.S_ISREG(state.st_mode) else None


def sum_of(path: Path) -> str:
    """Return the SHA-256 sum of a file as the index of its pack has it, without reading it; empty outside of packs."""
    found = inside(path)
    member = found and found[0].index.members.get(found[1])
    return member.sha256 if member else ""


def files_below(folder: Path, unread: Callable[[str], None] = lambda _: None) -> list[str]:
    """Return the paths of all files below a folder or a pack, relative to it, with slashes, sorted.

    Links to folders are followed; a folder that is reached in two ways counts once.

    Args:
        folder: the folder or the pack.
        unread: called with a sentence on each folder that cannot be listed, and each link to nothing.

    Raises:
        StoreError, NewerResults: see `inside`.
    """
    if (found := inside(folder)) is not None:
        return sorted(found[0].below(found[1]))
    return sorted(_files_below(os.fspath(folder), "", set(), unread))


def is_there(folder: Path) -> bool:
    """Return True if there is a folder of this path, a pack, or a folder in a pack.

    Raises:
        StoreError, NewerResults: see `inside`.
    """
    if (found := inside(folder)) is not None:
        return not found[1] or any(found[0].below(found[1]))
    return folder.is_dir()


def refuse_pack(results: Path) -> None:
    """Refuse to write into a pack.

    Raises:
        StoreError: the path is a pack or is in one.
    """
    if (found := inside(results)) is not None:
        pack = found[0].path
        raise StoreError(
            f"{results} is a pack, which is only read.",
            mend=f"Unpack it, and give the folder: mtbench store unpack {pack} {pack.with_suffix('')}",
        )


def _files_below(top: str, below: str, known: set[tuple[int, int]], unread: Callable[[str], None]) -> Iterator[str]:
    """Yield the paths of the files below a folder; `known` has the folders that were listed before."""
    place = os.path.join(top, below)
    try:
        state = os.stat(place)
        if (state.st_dev, state.st_ino) in known:
            return
        known.add((state.st_dev, state.st_ino))
        with os.scandir(place) as listed:
            entries = sorted(listed, key=lambda entry: entry.is_symlink())  # by its own path rather than by a link
    except FileNotFoundError:
        return
    except OSError as cause:
        unread(f"{place} cannot be listed ({cause.strerror or cause}): the results below it are left out.")
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir():
            yield from _files_below(top, name, known, unread)
        elif entry.is_symlink() and not os.path.exists(entry) and not entry.name.startswith("."):
            unread(f"{os.path.join(top, name)} is a link to {os.readlink(entry)}, which is not there.")
        else:
            yield name
