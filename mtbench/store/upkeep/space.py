"""Room on the disk, known before something is written."""

import shutil
from pathlib import Path

from mtbench.errors import StoreError

__all__ = ["check_space", "megabytes"]


def check_space(path: Path, size: int) -> None:
    """Refuse to write a file or a folder for which the disk has no room.

    Args:
        path: the file or folder, existing or not.
        size: bytes that it needs.

    Raises:
        StoreError: there are fewer; the text has both numbers.
    """
    place = path.absolute()
    while not place.is_dir() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size:
        raise StoreError(
            f"{path} needs {megabytes(size)}, and the disk has {megabytes(free)} left.",
            mend="Free some space, or give a place on another disk.",
        )


def megabytes(size: int) -> str:
    """Return a number of bytes with as many digits as are of use: ``9.3 kB``, ``0.4 MB``, ``12 MB``."""
    value = size / 1e6
    if value < 0.1:
        return f"{size / 1e3:.1f} kB"
    return f"{value:,.0f} MB" if value >= 10 else f"{value:.1f} MB"
