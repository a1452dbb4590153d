"""Processes forked from a server that has torch imported: they start in milliseconds and share no state."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from types import ModuleType

from mtbench.contract.sums import Sums, known_sums, learn_sums
from mtbench.engines.stop import heeded
from mtbench.errors import RunError

__all__ = ["spawn"]

PRELOADED = [
    "mtbench.engines.local.worker",
    # Modules that torch imports late: any optimizer the one, use_deterministic_algorithms the other. Together 3 s per
    # run.
    "torch._dynamo",
    "torch._inductor.config",
]

ATTEMPTS = 5


def spawn(target: Callable[..., None], *arguments: object) -> tuple[ForkServerProcess, Connection]:
    """Start ``target(*arguments, pipe)`` in a new process, which ignores Ctrl-C and ends when its parent does.

    SIGTERM and SIGHUP are blocked in the process from its start, until the target unblocks them or waits
    for them.

    Args:
        target: a function of a module, since it is found by its name.
        arguments: plain values; they are pickled.

    Returns:
        the process, and the end of the pipe that receives its messages.

    Raises:
        RunError: no process can be started.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    for attempt in range(ATTEMPTS):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_follow, args=(known_sums(), target, *arguments, theirs))
        try:
            _start(process)
        except (OSError, EOFError) as cause:  # the server died in this very moment; it is started again
            ours.close()
            if attempt + 1 == ATTEMPTS:
                raise RunError(f"no process can be started: {type(cause).__name__}: {cause}.") from cause
            time.sleep(0.2 * attempt)
        else:
            return process, ours
        finally:
            theirs.close()
    raise AssertionError("unreachable")


def _follow(sums: Sums, target: Callable[..., None], *arguments: object) -> None:
    learn_sums(sums)  # of the data, which the parent has read
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    target(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start(process: ForkServerProcess) -> None:
    """Start a process, and the server before it if need be, with requests to stop blocked in both."""
    resource_tracker.ensure_running()  # which unblocks them in this process when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *heeded()})
    try:
        with _no_script():
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _no_script() -> Iterator[None]:
    """Let this process have no script within the block, for a new one would run it from its first line, and with it
    the call that has started the process. Targets are functions of modules, and need no script."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
