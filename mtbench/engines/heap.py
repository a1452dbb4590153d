"""The heap of a worker: memory that a step has freed is kept for the next step."""

import ctypes
import platform

__all__ = ["keep_freed_memory"]

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Numbers of two of mallopt's parameters, from glibc's malloc.h."""
LARGEST = 2**31 - 1
"""The largest int, a threshold that is never reached."""


def keep_freed_memory() -> bool:
    """Have glibc keep the memory that this process frees, and return whether it does.

    By default glibc returns large blocks to the kernel as soon as they are freed. A training step frees all its feature
    maps, so that each step would get its memory page by page again, which takes 7 to 24 % of its time. No number
    changes. On systems without glibc nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(parameter, value) == 1 for parameter, value in ((TRIM_THRESHOLD, LARGEST), (MMAP_MAX, 0)))
