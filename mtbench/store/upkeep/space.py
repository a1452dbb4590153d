"""Room on the disk, known before something is written."""

import shutil
from pathlib import Path

from mtbench.errors import StoreError

__all__ = ["check_space", "free_space", "megabytes"]


def check_space(path: Path, size: int, content: str = "") -> None:
    """Refuse to write a file or a folder for which the disk has no room.

    Args:
        path: the file or folder, existing or not.
        size: bytes that it needs.
        content: a noun in the plural for the things to be written there; empty for the file or folder itself.

    Raises:
        StoreError: there are fewer; the text has both numbers.
    """
    if (free := free_space(path)) < size:
        needs = f"{content} need {megabytes(size)} in {path}" if content else f"{path} needs {megabytes(size)}"
        raise StoreError(
            f"{needs}, and the disk has {megabytes(free)} left.",
            mend="Free some space, or give a place on another disk.",
        )


def free_space(path: Path) -> int:
    """Return the bytes that are free on the disk of a file or a folder, existing or not."""
    place = path.absolute()
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def megabytes(size: int) -> str:
    """Return a number of bytes with as many digits as are of use: ``9.3 kB``, ``0.4 MB``, ``12 MB``."""
    value = size / 1e6
    if value < 0.1:
        return f"{size / 1e3:.1f} kB"
    return f"{value:,.0f} MB" if value >= 10 else f"{value:.1f} MB"
