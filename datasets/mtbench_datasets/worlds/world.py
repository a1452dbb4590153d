"""Worlds on disk: pictures that are made once by several processes, tables that describe them, and a manifest.

A writer that was killed is continued: pictures that are whole stay. The same settings give the same bytes, whatever the
number of processes.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from mtbench.errors import DataError

from ..files import write_atomically
from ..images.progress import shown
from ..images.room import check_space, locked
from . import MANIFEST
from .crew import Job, Picture, make_pictures

__all__ = ["Recipe", "faults", "write"]

LOCK = ".mtbench-world.lock"


class Recipe(Job, Protocol):
    """The settings of a world, and its functions."""

    @property
    def space(self) -> int:
        """Approximate size in bytes of a picture's files on a disk with blocks of 4 KiB."""

    @property
    def shape(self) -> str:
        """The size of the pictures, for a line of text."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Files that describe the pictures, relative to the world's folder."""

    def files(self, picture: Picture) -> tuple[str, ...]:
        """Return the files of a picture, relative to the world's folder."""

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        """Return True if a file of a picture is there, and neither truncated nor altered."""

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each of the `tables`.

        Args:
            described: the description of every picture that `make` returned.
        """

    def settings(self) -> dict[str, Any]:
        """Return the content of the manifest."""


def write(folder: Path, recipe: Recipe, leftovers: str, say: Callable[[str], None], jobs: int | None) -> None:
    """Write a world; complete a part of the same world, and leave a complete one unchanged.

    Args:
        folder: made if it is missing.
        recipe: the world.
        leftovers: a pattern of the temporary files that a killed writer leaves.
        say: takes a line of text.
        jobs: processes that make pictures; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    if _is_whole(folder, recipe):
        say(f"the world in {folder} is whole")
        return
    with locked(folder / LOCK, f"the world in {folder}", say):
        if not _is_whole(folder, recipe):  # another process may have written it meanwhile
            _write(folder, recipe, leftovers, say, jobs or _cores())


def faults(folder: Path, parse: Callable[[Mapping[str, Any]], Recipe]) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete.

    Args:
        folder: the world's folder.
        parse: makes a recipe of the settings in a manifest; KeyError, TypeError and ValueError mean that it is altered.
    """
    found = _read(folder / MANIFEST)
    if found is None:
        return [(folder / MANIFEST, "is missing")]
    try:
        recipe = parse(found)
    except (KeyError, TypeError, ValueError):
        return [(folder / MANIFEST, "is altered")]
    missing = [folder / path for path in _paths(recipe) if not (folder / path).is_file()]
    if missing:
        return [(path, "is missing") for path in missing]
    if _sum(folder, recipe) == found.get("sha256"):
        return []
    damaged = [
        (folder / path, "is truncated or altered")
        for picture in recipe.pictures()
        for path in recipe.files(picture)
        if not recipe.is_whole(folder, picture, path)
    ]
    return damaged or [(folder / recipe.tables[0], "is altered, or another file of the world is")]


def _is_whole(folder: Path, recipe: Recipe) -> bool:
    """Return True if this world is there and no file is missing or altered.

    Raises:
        DataError: there is another world.
    """
    found = _read(folder / MANIFEST)
    if found is None:
        return False
    if {key: found.get(key) for key in recipe.settings()} != recipe.settings():
        raise DataError(
            f"{folder} holds another world, {_brief(found)}, not {_brief(recipe.settings())}.",
            mend=f"Remove {folder}, or write to another folder.",
        )
    return not faults(folder, lambda _: recipe)


def _write(folder: Path, recipe: Recipe, leftovers: str, say: Callable[[str], None], jobs: int) -> None:
    """Write those files of a world that are missing or not whole, and the tables and the manifest."""
    pictures = list(recipe.pictures())
    total = len(pictures)
    described: dict[Picture, Any] = {}
    rendered = 0
    (folder / MANIFEST).unlink(missing_ok=True)
    missing = sum(not (folder / recipe.files(picture)[-1]).is_file() for picture in pictures)
    check_space(folder / MANIFEST, missing * recipe.space, f"{missing:,} pictures", say)
    say(f"rendering {total:,} pictures of {recipe.shape} into {folder}, as far as they are not there")
    begin = time.monotonic()
    with shown("rendering", total, say) as advance:
        for few in make_pictures(recipe, folder, jobs):
            for picture, description, new in few:
                described[picture] = description
                rendered += new
                advance()
    for name, content in recipe.describe(described):
        write_atomically(folder / name, content)
    for leftover in folder.glob(leftovers):
        leftover.unlink(missing_ok=True)
    entry = recipe.settings() | {"sha256": _sum(folder, recipe)}
    write_atomically(folder / MANIFEST, (json.dumps(entry, indent=2) + "\n").encode())
    say(f"{rendered:,} of {total:,} pictures rendered in {time.monotonic() - begin:.0f} s")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _paths(recipe: Recipe) -> Iterator[str]:
    """Yield the files of a world except the manifest, relative to its folder."""
    for picture in recipe.pictures():
        yield from recipe.files(picture)
    yield from recipe.tables


def _sum(folder: Path, recipe: Recipe) -> str:
    """Return the sha256 of the lines that ``sha256sum`` prints of all files, in the order of their names."""
    return _digest(f"{_digest((folder / path).read_bytes())}  {path}\n" for path in sorted(_paths(recipe)))


def _digest(content: bytes | Iterable[str]) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else "".join(content).encode()).hexdigest()


def _read(manifest: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _brief(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key != "sha256") or "an unreadable one"
