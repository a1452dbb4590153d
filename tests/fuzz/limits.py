"""Limits on the time and the memory of a piece of work in this process."""

import faulthandler
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["LIMIT", "MEMORY", "WAITING", "Hung", "Spent", "limited"]

LIMIT = 10.0
"""Seconds of processor time after which a piece of work has hung; a busy machine does not use them up."""
WAITING = 120.0
"""Seconds by the clock after which it has hung, as one that waits for a lock does."""
MEMORY = 1 << 30
"""Bytes of address space that it may have beyond those of its beginning."""


class Hung(BaseException):
    """The work took too long; nothing within it catches this."""


@dataclass
class Spent:
    """The seconds of processor time that a piece of work took."""

    seconds: float = 0.0


@contextmanager
def limited(limit: float = LIMIT, waiting: float = WAITING, memory: int = MEMORY) -> Iterator[Spent]:
    """Raise `Hung` within the block after so many seconds, and let allocations fail beyond so many bytes.

    A call that is not Python's, which no signal ends, ends the process after twice the seconds by the clock, and the
    place is printed.

    Args:
        limit: seconds of processor time.
        waiting: seconds by the clock.
        memory: bytes of address space; an allocation beyond them raises MemoryError, or RuntimeError in torch.
    """

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise Hung(f"it takes more than {limit:g} s, or waits for more than {waiting:g} s")

    spent, began = Spent(), time.process_time()
    before = {each: signal.signal(each, end) for each in (signal.SIGVTALRM, signal.SIGALRM)}
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    faulthandler.dump_traceback_later(2 * waiting, exit=True, file=sys.__stderr__ or 2)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    signal.setitimer(signal.ITIMER_REAL, waiting)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory, hard))
    try:
        yield spent
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        for each, handler in before.items():
            signal.signal(each, handler)
        spent.seconds = time.process_time() - began


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
