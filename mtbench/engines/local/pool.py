"""Many runs on this machine, each in its own process, forked from a server that has torch imported.

A worker that crashes, is killed or runs out of memory costs its own run one attempt and does not affect the others. A
worker that was asked to stop costs its run no attempt, however it ends. A run that another mtbench process works on is
left to it, and checked again until it has a record or is free.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from mtbench.engines.engine import Job, Listener, Outcome
from mtbench.engines.local.processes import spawn
from mtbench.engines.local.worker import Ended, Noted, work
from mtbench.engines.stop import EXIT_CODE, LIMIT, STOPPING_SIGNALS, interrupts
from mtbench.errors import Stopped, StoreError
from mtbench.store.files.process import is_stopped, started
from mtbench.store.run.failure import ATTEMPTS
from mtbench.store.run.folder import LOG, RunFolder
from mtbench.store.run.leased import tidy_up
from mtbench.train.progress import Progress

__all__ = ["run_all"]

RECHECK = 1.0
"""Seconds between two checks of a run that another process works on."""
STOPPING = LIMIT + 5
"""Seconds that workers have to stop after a request, before they are killed; they end themselves at `LIMIT`."""

Target = Callable[[str, str, str, Connection], None]


def run_all(
    jobs: Sequence[Job], *, root: Path, slots: Sequence[str], listener: Listener, target: Target = work
) -> list[Outcome]:
    """Execute the runs, as many at a time as there are slots, in their order.

    Args:
        root: the folder of the data files.
        slots: a device for each run that may be at work at a time.
        target: the work of a worker; a function of a module, since it is found by its name, or a partial of one.

    Returns:
        the end of each run, in the order in which they ended.

    Raises:
        Stopped: Ctrl-C, SIGTERM or SIGHUP was received; all workers have stopped.
        RunError: no process can be started.
    """
    with interrupts() as asked:
        pool = _Pool(jobs, root, slots, listener, target, asked)
        try:
            while not pool.is_done and not asked:
                pool.step()
        finally:
            pool.stop()
    if asked and (not pool.is_done or any(outcome.how == "stopped" for outcome in pool.outcomes)):
        raise Stopped(f"stopped by {asked[0].name}.", mend="The same command resumes it.")
    return pool.outcomes


@dataclass(kw_only=True)
class _Worker:
    job: Job
    slot: str
    process: ForkServerProcess
    pipe: Connection
    started: str | None
    ended: Ended | None = None
    looked: float = 0.0
    was_stopped: bool = False
    is_reported: bool = False

    @property
    def is_alive(self) -> bool:
        # Not taken from the process object, for which a worker is dead when the fork server is.
        assert self.process.pid is not None
        return self.started is not None and started(self.process.pid) == self.started

    def has_stopped(self) -> bool:
        """Return True, once each time, if the process is stopped and was so `RECHECK` ago, as by Ctrl-Z or SIGSTOP."""
        if time.monotonic() < self.looked + RECHECK:
            return False
        assert self.process.pid is not None
        before, self.was_stopped = self.was_stopped, is_stopped(self.process.pid)
        is_news = before and self.was_stopped and not self.is_reported
        self.looked, self.is_reported = time.monotonic(), before and self.was_stopped
        return is_news

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process still lives."""
        assert self.process.pid is not None
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class _Pool:
    def __init__(
        self,
        jobs: Sequence[Job],
        root: Path,
        slots: Sequence[str],
        listener: Listener,
        target: Target,
        asked: Sequence[signal.Signals],
    ) -> None:
        self.root, self.listener, self.target = root, listener, target
        self.asked = asked
        self.queue = deque(jobs)
        self.waiting: dict[Path, tuple[float, Job]] = {}
        self.holders: dict[Path, str] = {}
        self.free = deque(slots)
        self.workers: list[_Worker] = []
        self.outcomes: list[Outcome] = []

    @property
    def is_done(self) -> bool:
        return not (self.queue or self.waiting or self.workers)

    def step(self) -> None:
        """Start the runs that can be started, and receive messages of workers for at most a quarter of a second."""
        for when, job in list(self.waiting.values()):
            if time.monotonic() >= when:
                del self.waiting[job.folder]
                self.queue.append(job)
        while self.queue and self.free:
            self.consider(self.queue.popleft())
        if self.workers:
            for pipe in connection.wait([worker.pipe for worker in self.workers], timeout=0.25):
                self.receive(next(worker for worker in self.workers if worker.pipe is pipe))
            for worker in list(self.workers):
                if not worker.is_alive:
                    self.reap(worker)
                elif worker.has_stopped():
                    self.listener.noted(worker.job, _stopped(worker))
        elif self.waiting:
            time.sleep(0.25)
        self.listener.refresh()

    def consider(self, job: Job) -> None:
        """Start the run, unless another process has done it or is working on it."""
        run = RunFolder(job.folder)
        if run.has_record:
            tidy_up(run)
            self.end(job, "done", "")
        elif (holder := run.holder) is not None:
            if self.holders.get(job.folder) != holder.who:
                self.holders[job.folder] = holder.who
                self.listener.ended(job, "busy", str(holder))
            self.postpone(job)
        elif (failure := run.failure()) is not None and not failure.is_retryable:
            self.end(job, "failed", failure.message)
        else:
            self.start(job)

    def start(self, job: Job) -> None:
        slot = self.free.popleft()
        process, pipe = spawn(self.target, str(job.folder), str(self.root), slot)
        assert process.pid is not None
        self.workers.append(_Worker(job=job, slot=slot, process=process, pipe=pipe, started=started(process.pid)))
        self.listener.started(job, slot)

    def receive(self, worker: _Worker) -> None:
        """Receive one message, or wait for the process if its pipe is closed."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(1)  # the pipe closes a moment before the process is gone
            return
        self.handle(worker, message)

    def handle(self, worker: _Worker, message: Progress | Noted | Ended) -> None:
        """Pass a message on; the last one is kept for `reap`."""
        match message:
            case Ended():
                worker.ended = message
            case Noted(text=text):
                self.listener.noted(worker.job, text)
            case Progress():
                self.listener.advanced(worker.job, message)

    def reap(self, worker: _Worker) -> None:
        """Decide on the run of a worker that has ended."""
        while worker.pipe.poll():
            try:
                self.handle(worker, worker.pipe.recv())
            except (EOFError, OSError):
                break
        worker.process.join(1)
        worker.pipe.close()
        self.workers.remove(worker)
        self.free.append(worker.slot)
        if worker.ended is None:
            self.decide(worker)
        elif worker.ended.how == "busy":
            self.listener.ended(worker.job, "busy", worker.ended.why)
            self.postpone(worker.job)
        else:
            self.end(worker.job, worker.ended.how, worker.ended.why)

    def decide(self, worker: _Worker) -> None:
        """Decide on the run of a worker that ended without a last message.

        After a request to stop nothing is a failure; otherwise the run is repeated, or given up after `ATTEMPTS`.
        """
        run, code = RunFolder(worker.job.folder), worker.process.exitcode
        number = -code if code is not None and code < 0 else None
        if run.has_record or run.is_leased:  # it had finished, or another process has taken over already
            self.queue.append(worker.job)
            return
        if self.asked or code == EXIT_CODE or number in STOPPING_SIGNALS:
            self.end(worker.job, "stopped", "its process was stopped")
            return
        why = f"its process was killed by {_name(number)}" if number else "its process died"
        if number == signal.SIGKILL:
            why += " (as the system does when memory runs out)"
        try:
            failure = run.write_failure(kind="killed", message=why, traceback=_log_end(run), signal=number)
        except StoreError as cause:
            self.end(worker.job, "failed", f"{why}; {cause}")
            return
        if failure.is_retryable:
            self.queue.append(worker.job)
            self.listener.ended(worker.job, "again", f"{why}; attempt {failure.attempt + 1} of {ATTEMPTS} follows")
        else:
            self.end(worker.job, "failed", f"{why}, {failure.attempt} times")

    def postpone(self, job: Job) -> None:
        self.waiting[job.folder] = (time.monotonic() + RECHECK, job)

    def end(self, job: Job, how: str, why: str) -> None:
        self.outcomes.append(Outcome(job=job, how=how, why=why))
        self.listener.ended(job, how, why)

    def stop(self) -> None:
        """Ask workers to stop, and kill those that do not; at once, if Ctrl-C is pressed a second time."""
        for worker in self.workers:
            worker.send(signal.SIGTERM)
        deadline = time.monotonic() + STOPPING
        try:
            while any(worker.is_alive for worker in self.workers) and time.monotonic() < deadline:
                time.sleep(0.02)
        except KeyboardInterrupt:
            pass
        for worker in self.workers:
            worker.send(signal.SIGKILL)
            worker.process.join(1)
            worker.pipe.close()


def _name(number: int) -> str:
    """Return the name of a signal; real-time signals have none but a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stopped(worker: _Worker) -> str:
    pid = worker.process.pid
    return f"its process {pid} is stopped, and is waited for until `kill -CONT {pid}` continues it or it ends"


def _log_end(run: RunFolder) -> str:
    """Return the end of the output of the worker and its libraries."""
    try:
        return (run.path / LOG).read_text(errors="replace")[-4000:]
    except OSError:
        return ""
