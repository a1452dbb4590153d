"""Many runs on this machine, each in a process of its own, forked from a server that has torch imported.

A worker that crashes, is killed or runs out of memory costs its own run an attempt and nobody else anything. A run that
another mtbench is working on is left to it, and looked at again until it has a record or is free.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Protocol

from mtbench.engines.processes import spawn
from mtbench.engines.worker import Ended, work
from mtbench.errors import Stopped, StoreError
from mtbench.store.folder import ATTEMPTS, LOG, RunFolder
from mtbench.store.lease import started
from mtbench.train.progress import Progress

__all__ = ["Job", "Listener", "Outcome", "run_all"]

PATIENCE = 1.0
"""Seconds between two looks at a run that another process is working on."""
FAREWELL = 20.0
"""Seconds that workers have to stop when they are asked to."""

Target = Callable[[str, str, str, Connection], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to be done: where it is, and what to call it in front of people."""

    folder: Path
    title: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one run ended: ``done``, ``failed`` or ``stopped``, and why."""

    job: Job
    how: str
    why: str


class Listener(Protocol):
    """Who is told what happens, as it happens."""

    def started(self, job: Job, device: str) -> None:
        """A worker took the run up."""

    def advanced(self, job: Job, progress: Progress) -> None:
        """A worker got on."""

    def ended(self, job: Job, how: str, why: str) -> None:
        """It is over for now: done, failed, stopped; or ``again`` (killed, tried again), ``busy`` (with others)."""

    def refresh(self) -> None:
        """Some time has passed."""


def run_all(
    jobs: Sequence[Job], *, root: Path, slots: Sequence[str], listener: Listener, target: Target = work
) -> list[Outcome]:
    """Do the runs, as many at a time as there are slots, in their order.

    Args:
        root: the folder of the data files.
        slots: a device for each run that may be at work at a time.
        target: what a worker does; a function of a module, since it is found by its name.

    Returns:
        how each run ended, in the order in which they ended.

    Raises:
        Stopped: by Ctrl-C or SIGTERM, after all workers have stopped.
        RunError: no process can be started.
    """
    pool = _Pool(jobs, root, slots, listener, target)
    with _interrupts() as asked:
        try:
            while not pool.is_done and not asked:
                pool.step()
        finally:
            pool.stop()
    if asked and not pool.is_done:
        raise Stopped(f"stopped by {asked[0].name}.", mend="The same command goes on where this one left off.")
    return pool.outcomes


@dataclass(kw_only=True)
class _Worker:
    job: Job
    slot: str
    process: ForkServerProcess
    pipe: Connection
    started: str | None
    word: Ended | None = None

    @property
    def is_alive(self) -> bool:
        # Not asked of the process object, which takes a worker for dead when the fork server is.
        assert self.process.pid is not None
        return self.started is not None and started(self.process.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is still somebody to receive it."""
        assert self.process.pid is not None
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class _Pool:
    def __init__(
        self, jobs: Sequence[Job], root: Path, slots: Sequence[str], listener: Listener, target: Target
    ) -> None:
        self.root, self.listener, self.target = root, listener, target
        self.queue = deque(jobs)
        self.waiting: dict[Path, tuple[float, Job]] = {}
        self.free = deque(slots)
        self.workers: list[_Worker] = []
        self.outcomes: list[Outcome] = []

    @property
    def is_done(self) -> bool:
        return not (self.queue or self.waiting or self.workers)

    def step(self) -> None:
        """Start what can be started, and hear what workers have to say; returns after a quarter of a second."""
        for when, job in list(self.waiting.values()):
            if time.monotonic() >= when:
                del self.waiting[job.folder]
                self.queue.append(job)
        while self.queue and self.free:
            self.consider(self.queue.popleft())
        if self.workers:
            for pipe in connection.wait([worker.pipe for worker in self.workers], timeout=0.25):
                self.hear(next(worker for worker in self.workers if worker.pipe is pipe))
            for worker in [worker for worker in self.workers if not worker.is_alive]:
                self.bury(worker)
        elif self.waiting:
            time.sleep(0.25)
        self.listener.refresh()

    def consider(self, job: Job) -> None:
        """Start the run, unless others have done it or are doing it."""
        run = RunFolder(job.folder)
        if run.has_record:
            run.tidy_up()
            self.end(job, "done", "")
        elif run.is_leased:
            self.postpone(job, "another mtbench is working on it")
        elif (failure := run.failure()) is not None and not failure.is_to_be_tried:
            self.end(job, "failed", failure.message)
        else:
            self.start(job)

    def start(self, job: Job) -> None:
        slot = self.free.popleft()
        process, pipe = spawn(self.target, str(job.folder), str(self.root), slot)
        assert process.pid is not None
        self.workers.append(_Worker(job=job, slot=slot, process=process, pipe=pipe, started=started(process.pid)))
        self.listener.started(job, slot)

    def hear(self, worker: _Worker) -> None:
        """Take one message, or note that there will be none any more."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(1)  # the pipe closes a moment before the process is gone
            return
        if isinstance(message, Ended):
            worker.word = message
        else:
            self.listener.advanced(worker.job, message)

    def bury(self, worker: _Worker) -> None:
        """Draw the conclusion from a worker's end."""
        while worker.pipe.poll():
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                break
            worker.word = message if isinstance(message, Ended) else worker.word
        worker.process.join(1)
        worker.pipe.close()
        self.workers.remove(worker)
        self.free.append(worker.slot)
        if worker.word is None:
            self.mourn(worker)
        elif worker.word.how == "busy":
            self.postpone(worker.job, worker.word.why)
        else:
            self.end(worker.job, worker.word.how, worker.word.why)

    def mourn(self, worker: _Worker) -> None:
        """A worker died without a word: try its run again, or give it up after `ATTEMPTS`."""
        run, number = RunFolder(worker.job.folder), _signal(worker.process.exitcode)
        if run.has_record or run.is_leased:  # it had finished, or another process has taken over already
            self.queue.append(worker.job)
            return
        why = f"its process was killed by {signal.Signals(number).name}" if number else "its process died"
        if number == signal.SIGKILL:
            why += " (as the system does when memory runs out)"
        try:
            failure = run.write_failure(kind="killed", message=why, traceback=_last_words(run), signal=number)
        except StoreError as cause:
            self.end(worker.job, "failed", f"{why}; {cause}")
            return
        if failure.is_to_be_tried:
            self.queue.append(worker.job)
            self.listener.ended(worker.job, "again", f"{why}; attempt {failure.attempt + 1} of {ATTEMPTS} follows")
        else:
            self.end(worker.job, "failed", f"{why}, {failure.attempt} times")

    def postpone(self, job: Job, why: str) -> None:
        self.waiting[job.folder] = (time.monotonic() + PATIENCE, job)
        self.listener.ended(job, "busy", why)

    def end(self, job: Job, how: str, why: str) -> None:
        self.outcomes.append(Outcome(job=job, how=how, why=why))
        self.listener.ended(job, how, why)

    def stop(self) -> None:
        """Ask workers to stop, and see that they do; asked a second time by Ctrl-C, see to it at once."""
        for worker in self.workers:
            worker.send(signal.SIGTERM)
        deadline = time.monotonic() + FAREWELL
        try:
            while any(worker.is_alive for worker in self.workers) and time.monotonic() < deadline:
                time.sleep(0.02)
        except KeyboardInterrupt:
            pass
        for worker in self.workers:
            worker.send(signal.SIGKILL)
            worker.process.join(1)
            worker.pipe.close()


@contextmanager
def _interrupts() -> Iterator[list[signal.Signals]]:
    """Within the block Ctrl-C and SIGTERM are put down in the list that it is given; a second one interrupts."""
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


def _signal(exitcode: int | None) -> int | None:
    return -exitcode if exitcode is not None and exitcode < 0 else None


def _last_words(run: RunFolder) -> str:
    """The end of what the worker and its libraries printed."""
    try:
        return (run.path / LOG).read_text(errors="replace")[-4000:]
    except OSError:
        return ""
