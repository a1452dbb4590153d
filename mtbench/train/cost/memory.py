"""The memory that a process has used at its greatest."""

import re
import resource
import sys
from pathlib import Path

__all__ = ["peak_memory"]


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes.

    On Linux that is VmHWM. ``ru_maxrss`` is not taken there: a process that a larger one has started begins with the
    peak of the larger one. Elsewhere it is ``ru_maxrss``, which macOS counts in bytes and others in KiB.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)):
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
