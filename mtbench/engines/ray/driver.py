"""Runs as tasks of a cluster: submitted, looked after by their folders, and repeated if their machine was lost."""

import signal
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.engines.engine import Job, Listener, Outcome, Site, outcome
from mtbench.engines.local.pool import RECHECK
from mtbench.engines.ray.attend import STOPPING
from mtbench.engines.ray.cluster import Connection
from mtbench.engines.ray.messages import Over, Submit
from mtbench.engines.ray.options import RayOptions
from mtbench.engines.ray.signs import checkpoint_of, killed, last_line, passed
from mtbench.engines.stop import EXIT_CODE
from mtbench.engines.watch import Watch
from mtbench.errors import RunError, StoreError
from mtbench.store.run.failure import ATTEMPTS, Failure
from mtbench.store.run.folder import LOG, RunFolder
from mtbench.store.run.leased import tidy_up

__all__ = ["Driver"]

LOOK = 1.0
"""Seconds between two looks at the folders of submitted runs."""
SILENT = 30.0
"""Seconds after which a run is submitted again that had a live lease and has none, though Ray reports no end."""
INTERRUPTED = 130
"""Exit code of a command that was stopped."""


@dataclass(kw_only=True)
class _Flight:
    """A submitted run.

    Attributes:
        state: checkpoint and failure when it was submitted.
        leased: the time when its lease was seen alive last; None if it has not started.
        watch: its progress, once it has started.
    """

    job: Job
    checkpoint: tuple[int, int] | None
    failure: Failure | None
    leased: float | None = None
    watch: Watch | None = None


class Driver:
    """The course of some runs on a cluster. Decisions are taken by the folders of the runs.

    Args:
        jobs: the runs.
        site: the circumstances; one place for each run that may be submitted at a time.
        expect: a file of the code that the runs are to be trained with.
        asked: signals that ask for a stop.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        site: Site,
        expect: Path | None,
        options: RayOptions,
        listener: Listener,
        asked: Sequence[signal.Signals],
    ) -> None:
        self.site, self.expect, self.options, self.listener, self.asked = site, expect, options, listener, asked
        self.queue = deque(jobs)
        self.waiting: dict[Path, tuple[float, Job]] = {}
        self.holders: dict[Path, str] = {}
        self.flights: dict[int, _Flight] = {}
        self.fading: list[tuple[_Flight, str]] = []
        self.number = 0
        self.outcomes: list[Outcome] = []
        self.looked = 0.0
        self.fitted = time.monotonic()
        self.environment = passed()

    @property
    def is_done(self) -> bool:
        return not (self.queue or self.waiting or self.flights or self.fading)

    def drive(self, cluster: Connection) -> None:
        """Do the runs until they are done, or a stop is requested and all have stopped.

        Raises:
            RunError: the connection is lost, or no node of the cluster is large enough for a run.
        """
        while not (self.is_done or self.asked):
            self.step(cluster)
        if self.flights:
            self.stop(cluster)

    def step(self, cluster: Connection) -> None:
        for when, job in list(self.waiting.values()):
            if time.monotonic() >= when:
                del self.waiting[job.folder]
                self.queue.append(job)
        while self.queue and len(self.flights) < len(self.site.places):
            self.consider(self.queue.popleft(), cluster)
        for over in cluster.receive(0.25):
            self.land(over)
        fading, self.fading = self.fading, []
        for flight, why in fading:
            self.lose(flight, why)
        self.look()
        self.check_nodes(cluster)
        self.listener.refresh()

    def consider(self, job: Job, cluster: Connection) -> None:
        """Submit the run, unless another process has done it or is working on it."""
        run = RunFolder(job.folder)
        if run.has_record or run.is_leased:
            self.leave(job)
        elif (failure := run.failure()) is not None and not failure.is_retryable:
            self.end(outcome(job))
        else:
            self.submit(job, failure, cluster)

    def leave(self, job: Job) -> None:
        """Take note of a run that has a record, or wait for the process that works on it."""
        run = RunFolder(job.folder)
        if run.has_record:
            tidy_up(run)
            self.end(outcome(job))
            return
        if (holder := run.holder) is not None and self.holders.get(job.folder) != holder.who:
            self.holders[job.folder] = holder.who
            self.listener.ended(job, "busy", str(holder))
        self.waiting[job.folder] = (time.monotonic() + RECHECK, job)

    def submit(self, job: Job, failure: Failure | None, cluster: Connection) -> None:
        self.number += 1
        name = f"ray {cluster.job}-{self.number}"
        self.flights[self.number] = _Flight(job=job, checkpoint=checkpoint_of(job), failure=failure)
        cluster.submit(
            Submit(
                number=self.number,
                name=f"{name} {job.title}",
                words=tuple(self.site.command(job, name=name, expect=self.expect)),
                environment=self.environment,
                folder=str(job.folder.absolute()),
                log=str(job.folder.absolute() / LOG),
            )
        )

    def land(self, over: Over) -> None:
        """Decide on a run whose task has ended."""
        flight = self.flights.pop(over.number, None)
        if flight is None:  # it was submitted again before
            return
        job, run = flight.job, RunFolder(flight.job.folder)
        if flight.leased is None and run.has_record:  # it was over before it was looked at
            self.listener.started(job, self.site.device)
        if run.has_record:
            self.leave(job)
        elif self.asked:
            self.end(Outcome(job=job, how="stopped", why="its process was stopped"))
        elif over.is_lost:
            self.lose(flight, over.why)
        elif over.code is None:
            self.end(Outcome(job=job, how="failed", why=over.why))
        elif over.code < 0 or over.code in (INTERRUPTED, EXIT_CODE):
            self.lose(flight, killed(over.code))
        elif run.is_leased:  # another process has it
            self.leave(job)
        else:
            failure = run.failure()
            if failure is not None and failure != flight.failure:
                self.end(outcome(job))
            else:
                self.end(Outcome(job=job, how="failed", why=last_line(run) or f"its exit code is {over.code}"))

    def lose(self, flight: _Flight, why: str) -> None:
        """Repeat a run whose process was lost, or give it up after `ATTEMPTS` without another checkpoint.

        A process that has lost its worker lives for some seconds more, and one whose machine hangs may come back: the
        run is left alone as long as it is leased.
        """
        job, run = flight.job, RunFolder(flight.job.folder)
        if run.has_record:
            self.leave(job)
            return
        if run.is_leased:
            self.fading.append((flight, why))
            return
        if checkpoint_of(job) != flight.checkpoint:
            self.queue.append(job)
            self.listener.ended(job, "again", f"{why}; it is resumed from its last checkpoint")
            return
        try:
            failure = run.write_failure(kind="killed", message=why)
        except StoreError as cause:
            self.end(Outcome(job=job, how="failed", why=f"{why}; {cause}"))
            return
        if failure.is_retryable:
            self.queue.append(job)
            self.listener.ended(job, "again", f"{why}; attempt {failure.attempt + 1} of {ATTEMPTS} follows")
        else:
            self.end(Outcome(job=job, how="failed", why=f"{why}, {failure.attempt} times"))

    def look(self) -> None:
        """Look at the folders of submitted runs: which have started, and which show no sign of life any more."""
        now = time.monotonic()
        if now < self.looked + LOOK:
            return
        for number, flight in list(self.flights.items()):
            run = RunFolder(flight.job.folder)
            if run.is_leased:
                if flight.watch is None:
                    flight.watch = Watch(flight.job)
                    self.listener.started(flight.job, self.site.device)
                flight.leased = now
                if (progress := flight.watch.news()) is not None:
                    self.listener.advanced(flight.job, progress)
            elif flight.leased is not None and now > flight.leased + SILENT:
                del self.flights[number]
                self.lose(flight, "its machine shows no sign of life")
        self.looked = time.monotonic()

    def check_nodes(self, cluster: Connection) -> None:
        """Refuse a cluster none of whose nodes has been large enough for a run for a while.

        Raises:
            RunError: it is so.
        """
        now = time.monotonic()
        if cluster.nodes.fit or not self.flights:
            self.fitted = now
        elif now > self.fitted + self.options.deadline:
            needs = f"{self.options.cpus} CPUs and {self.options.gpus:g} GPUs"
            raise RunError(
                f"no node of the cluster has the {needs} of a run, and {cluster.nodes.alive} are alive.",
                mend="Change cpus and gpus of engine 'ray', or add a node; deadline=SECONDS waits longer.",
            )

    def stop(self, cluster: Connection) -> None:
        """Cancel all tasks, and wait for their processes to stop; a second signal interrupts this."""
        cluster.stop()
        end = time.monotonic() + STOPPING
        try:
            while self.flights and time.monotonic() < end:
                for over in cluster.receive(0.25):
                    self.land(over)
                self.listener.refresh()
        except (KeyboardInterrupt, RunError):
            pass

    def end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.listener.ended(outcome.job, outcome.how, outcome.why)
