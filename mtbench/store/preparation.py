"""Preparation of data files, and what processes that were killed during it have left in the data root.

Datasets write a file under another name, ``.<name>.<32 hexadecimal digits>``, before it takes its place. Such a name
does not identify a process. So every process that prepares data holds a lock, which ends with it, and leaves a mark if
it is killed.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mtbench.store.files.atomic import ABANDONED, litter, temporary_name

__all__ = ["leftovers", "preparing"]

LOCK = ".mtbench-preparing.lock"
MARK = "mtbench-preparing"
PATIENCE = 5.0
"""Seconds to wait for a process that removes files; it may have been stopped meanwhile."""
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}")


@contextmanager
def preparing(root: Path) -> Iterator[None]:
    """Let datasets write into the data root within the block; before, remove what killed processes left there.

    Nothing is removed while another process prepares data there, nor what a process of this machine has open. Where
    the root cannot be written or locked nothing is removed.
    """
    try:
        is_first = root.is_dir() and not (root / LOCK).exists()
        lock = (root / LOCK).open("a")
    except OSError:  # there is no folder yet, or it cannot be written
        yield
        return
    with lock:
        mark = temporary_name(root / MARK)
        with suppress(OSError):
            if _has(lock, fcntl.LOCK_EX):
                # Nobody else is at it: each mark is that of a process that was killed.
                marks = list(root.glob(f".{MARK}.*.tmp"))
                if marks or is_first:
                    for path in _unfinished(root):
                        with suppress(OSError):
                            path.unlink()
                for each in marks:
                    each.unlink(missing_ok=True)
            end = time.monotonic() + PATIENCE
            while not _has(lock, fcntl.LOCK_SH) and time.monotonic() < end:
                time.sleep(0.1)
            mark.touch()  # when nobody can take it for that of a killed process any more
        try:
            yield
        finally:
            with suppress(OSError):
                mark.unlink(missing_ok=True)


@contextmanager
def leftovers(root: Path) -> Iterator[list[Path]]:
    """Yield the files that killed processes left in the data root, while no process begins to prepare data there.

    There are none as long as a process prepares data. In a root where no process has held the lock yet, those without
    a write for `ABANDONED` seconds count. Nothing is created.
    """
    marks = list(root.glob(f".{MARK}.*.tmp"))
    try:
        lock = (root / LOCK).open()
    except FileNotFoundError:
        yield [path for path in _unfinished(root) if time.time() - path.stat().st_mtime > ABANDONED]
        return
    except OSError:
        yield []
        return
    with lock:
        is_alone = _has(lock, fcntl.LOCK_EX) and set(marks) <= set(litter(root))
        yield [*_unfinished(root), *marks] if is_alone else []


def _has(lock: IO[str], kind: int) -> bool:
    """Return True if the lock could be had at once."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unfinished(root: Path) -> list[Path]:
    """Return the files of datasets that were not finished and that no process of this machine has open."""
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(root)
        for name in names
        if name.startswith(".") and _UNFINISHED.fullmatch(name)
    ]
    opened = set(_open_files()) if found else set()
    return [path for path in found if os.path.realpath(path) not in opened]


def _open_files() -> Iterator[str]:
    """Yield the path of each file that a process of this machine has open, as far as this user may see it."""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for entry in os.scandir(folder):
                with suppress(OSError):
                    yield os.readlink(entry.path)
