"""Requests to stop. In a process that trains SIGTERM sets a flag, which the run reads between complete operations."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from mtbench.errors import Stopped

__all__ = ["EXIT_CODE", "LIMIT", "Stop", "interrupts", "stop_on_sigterm"]

LIMIT = 10.0
"""Seconds after the first SIGTERM at which the process ends in any case."""
EXIT_CODE = 128 + signal.SIGTERM
"""Exit code of a process that a second SIGTERM or `LIMIT` has ended."""


class Stop:
    """The request to end a run before its last epoch.

    Attributes:
        requested: True after the request.
    """

    def __init__(self) -> None:
        self.requested = False

    def check(self) -> None:
        """Raise Stopped if a stop was requested; called only between complete operations."""
        if self.requested:
            raise Stopped("the run was stopped.", mend="The same command resumes it from its last checkpoint.")


def stop_on_sigterm() -> Stop:
    """Return a stop that SIGTERM requests, from now until this process ends.

    SIGTERM is blocked and a thread waits for it, so that no exception appears inside other people's code and no system
    call is interrupted. The thread also runs while torch or NumPy computes. Code that holds Python's global lock delays
    it; the pool's SIGKILL, or the scheduler's, ends such a process.

    Programs that the run starts inherit the block; processes that it forks do not.

    The function must be called in the main thread before there are others, since threads inherit blocked signals.
    """
    stop = Stop()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # Processes that a plug-in forks (as a DataLoader does) end by SIGTERM as usual.
    os.register_at_fork(after_in_child=_unblock)
    threading.Thread(target=_wait, args=(stop,), name="stop", daemon=True).start()
    return stop


@contextmanager
def interrupts() -> Iterator[list[signal.Signals]]:
    """Collect Ctrl-C and SIGTERM in the list that the block receives; a second signal interrupts the block."""
    asked: list[signal.Signals] = []

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        asked.append(signal.Signals(number))
        if len(asked) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may have handlers
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(stop: Stop) -> None:
    signal.sigwait({signal.SIGTERM})
    stop.requested = True
    timer = threading.Timer(LIMIT, os._exit, (EXIT_CODE,))
    timer.daemon = True
    timer.start()
    signal.sigwait({signal.SIGTERM})
    os._exit(EXIT_CODE)


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
