"""A limit on the processor time of a piece of work in this process."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["LIMIT", "Hung", "Spent", "limited"]

LIMIT = 10.0
"""Seconds of processor time after which a piece of work has hung; a busy machine does not use them up."""


class Hung(BaseException):
    """The work took `LIMIT` seconds; nothing within it catches this."""


@dataclass
class Spent:
    """The seconds of processor time that a piece of work took."""

    seconds: float = 0.0


@contextmanager
def limited(limit: float = LIMIT) -> Iterator[Spent]:
    """Raise `Hung` within the block after so many seconds of processor time."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise Hung(f"it takes more than {limit:g} s")

    spent, began = Spent(), time.process_time()
    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield spent
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        spent.seconds = time.process_time() - began
