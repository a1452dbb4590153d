"""Requests to stop. In a process that trains SIGTERM sets a flag, which the run reads between complete operations.

SIGHUP, which the end of a terminal or of a connection sends, is treated as SIGTERM, unless it is ignored (``nohup``).
"""

import os
import signal
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import partial
from types import FrameType

from mtbench.errors import Stopped

__all__ = ["EXIT_CODE", "LIMIT", "STOPPING_SIGNALS", "Stop", "heeded", "interrupts", "stop_on_sigterm"]

STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a process to stop, besides Ctrl-C."""

LIMIT = 10.0
"""Seconds after the first request at which the process ends in any case."""
EXIT_CODE = 128 + signal.SIGTERM
"""Exit code of a process that a second request or `LIMIT` has ended."""


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


def heeded() -> set[signal.Signals]:
    """Return those of `STOPPING_SIGNALS` that this process was not started to ignore."""
    return {number for number in STOPPING_SIGNALS if signal.getsignal(number) != signal.SIG_IGN}


def stop_on_sigterm() -> Stop:
    """Return a stop that SIGTERM or SIGHUP requests, from now until this process ends.

    The signals are blocked and a thread waits for them, so that no exception appears inside other people's code and no
    system call is interrupted. The thread also runs while torch or NumPy computes. Code that holds Python's global lock
    delays it; the pool's SIGKILL, or the scheduler's, ends such a process.

    Programs that the run starts inherit the block; processes that it forks do not.

    The function must be called in the main thread before there are others, since threads inherit blocked signals.
    """
    stop, numbers = Stop(), heeded()
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    # Processes that a plug-in forks (as a DataLoader does) end by these signals as usual.
    os.register_at_fork(after_in_child=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, numbers))
    threading.Thread(target=_wait, args=(stop, numbers), name="stop", daemon=True).start()
    return stop


@contextmanager
def interrupts() -> Iterator[list[signal.Signals]]:
    """Collect Ctrl-C, SIGTERM and SIGHUP in the list that the block receives; a second signal interrupts the block."""
    asked: list[signal.Signals] = []

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        asked.append(signal.Signals(number))
        if len(asked) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may have handlers
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, *heeded())}
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, before)  # the program that started this one may have blocked them
    try:
        yield asked
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(stop: Stop, numbers: Set[signal.Signals]) -> None:
    signal.sigwait(numbers)
    stop.requested = True
    timer = threading.Timer(LIMIT, os._exit, (EXIT_CODE,))
    timer.daemon = True
    timer.start()
    signal.sigwait(numbers)
    os._exit(EXIT_CODE)
