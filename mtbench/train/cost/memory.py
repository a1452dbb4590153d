"""The peak memory of a process."""

import re
import resource
import sys
from pathlib import Path

__all__ = ["peak_memory"]


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes.

    On Linux it is VmHWM. ``ru_maxrss`` is not used there: a process started by a larger one begins with the peak of the
    larger one. Elsewhere it is ``ru_maxrss``, which macOS counts in bytes and others in KiB.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)):
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
