"""Room on a disk, and the right to write there."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mtbench.errors import DataError

__all__ = ["check_space", "locked", "writing"]


def check_space(path: Path, size: int, title: str, say: Callable[[str], None]) -> None:
    """Report the space that a file of `size` bytes needs and the free space, less the space that it has already.

    Raises:
        DataError: there is not enough.
    """
    has = path.stat().st_blocks * 512 if path.is_file() else 0
    need, free = max(0, size - has), shutil.disk_usage(path.parent).free
    say(f"{title} need {_text(need)} in {path.parent}, where {_text(free)} are free")
    if need > free:
        raise DataError(
            f"{title} need {_text(need)} in {path.parent}, where {_text(free)} are free.",
            mend="Make room there, or choose another folder with --data-root or MTBENCH_DATA.",
        )


@contextmanager
def locked(path: Path, title: str, say: Callable[[str], None]) -> Iterator[None]:
    """Let only this process write within the block; the lock is released however the process ends.

    Raises:
        DataError: the folder cannot be written to.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{title}: another process is at it; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within the block a file is written: an OSError becomes a DataError that names it."""
    try:
        yield
    except OSError as cause:
        raise DataError(
            f"{path} cannot be written: {cause.strerror}.",
            mend="Make room there, or choose another folder with --data-root or MTBENCH_DATA.",
        ) from None


def _text(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
