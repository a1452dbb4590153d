"""States of runs that are kept from one survey to the next."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mtbench.store.files.reading import inside

if TYPE_CHECKING:
    from mtbench.store.status import RunStatus

__all__ = ["Kept"]

Stamp: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""The files of a folder: name, inode, size and time of the last change in nanoseconds."""


class Kept:
    """States of runs, each read again only if a file of the run has changed, or if it was running.

    Code and data are compared when a record is read, and not again as long as it stays.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Stamp, RunStatus]] = {}

    def status(self, folder: Path, read: "Callable[[], RunStatus]") -> "RunStatus":
        """Return the state of the run in a folder.

        Args:
            folder: the folder of the run.
            read: a function that reads the state.
        """
        stamp = _stamp(folder)
        known = self._known.get(folder)
        if known and known[0] == stamp and known[1].state != "running":
            return known[1]
        found = read()
        self._known[folder] = stamp, found
        return found


def _stamp(folder: Path) -> Stamp:
    pack = inside(folder)
    paths = [os.fspath(pack[0].path)] if pack else sorted(entry.path for entry in os.scandir(folder))
    return tuple(stamp for path in paths if (stamp := _state(path)) is not None)


def _state(path: str) -> tuple[str, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:  # it was removed meanwhile
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns
