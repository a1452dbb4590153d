"""The interface of engines: what executes runs, wherever that is.

An engine is a plug-in of the group ``mtbench.engines``: a subclass of `Engine`, of one method. It receives jobs, each
the folder of a run with its ``spec.json``, and sees to it that ``mtbench exec FOLDER`` is executed for each of them.
What became of a run is read from its folder (`outcome`), so that nothing is sent back and no code is sent away.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from mtbench.contract import NoOptions
from mtbench.errors import MtbenchError
from mtbench.store.run.folder import RunFolder
from mtbench.train.progress import Progress

__all__ = ["Engine", "Job", "Listener", "Outcome", "Site", "outcome"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to be done: its folder, and its title on the screen."""

    folder: Path
    title: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of one run.

    Attributes:
        job: the run.
        how: ``done``, ``failed`` or ``stopped``; or ``queued``, if it is left to a scheduler.
        why: the reason as a sentence; empty for ``done``.
    """

    job: Job
    how: str
    why: str


class Listener(Protocol):
    """An object that is notified of events of runs, when they happen."""

    def started(self, job: Job, device: str) -> None:
        """Handle the start of a run by a worker."""

    def advanced(self, job: Job, progress: Progress) -> None:
        """Handle the progress of a run."""

    def noted(self, job: Job, text: str) -> None:
        """Handle something unusual, such as a checkpoint that cannot be used: a sentence."""

    def ended(self, job: Job, how: str, why: str) -> None:
        """Handle its end: done, failed, stopped, ``again`` (killed, repeated) or ``busy`` (another process has it).

        A run that another process has is reported as busy again when something has changed about that process.
        """

    def refresh(self) -> None:
        """Handle the passing of time."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The circumstances under which runs are executed, equal for all runs of a command.

    Attributes:
        results: the results folder; an absolute path.
        root: the folder of the data files; an absolute path.
        places: a device for each run that may be at work at a time, as `Engine.places` returns them.
        checkpoint_every: seconds between two checkpoints of a run, at the end of an epoch; 0 for one after each.
    """

    results: Path
    root: Path
    places: Sequence[str]
    checkpoint_every: float = 0

    @property
    def device(self) -> str:
        """``auto``, ``cpu``, ``cuda`` or ``cuda:N``, on the machine that trains."""
        return self.places[0]

    def command(self, *jobs: Job, name: str = "", expect: Path | None = None) -> list[str]:
        """Return the words of the command that executes runs, one after another, in a process of its own.

        Args:
            jobs: the runs.
            name: the name of the job at its scheduler, for the log of attempts.
            expect: a file of fingerprints (see `mtbench.store.identity.expected`); a run whose code differs from them
                is refused.
        """
        words = [sys.executable, "-m", "mtbench", "exec", *(str(job.folder.absolute() / "spec.json") for job in jobs)]
        words += ["--data-root", str(self.root), "--device", self.device]
        words += ["--checkpoint-every", str(self.checkpoint_every)] if self.checkpoint_every else []
        words += ["--job", name] if name else []
        return words + (["--expect", str(expect)] if expect else [])


class Engine(ABC):
    """A place where runs are executed, and the first line of its docstring for ``mtbench list``.

    ::

        class Mine(Engine):
            def execute(self, jobs, site, listener):
                outcomes = []
                for job in jobs:
                    listener.started(job, site.device)
                    subprocess.run(site.command(job))
                    outcomes.append(outcome(job))
                    listener.ended(job, outcomes[-1].how, outcomes[-1].why)
                return outcomes

    Attributes:
        extra: the optional dependency that the engine needs, in pip's notation, e.g. ``mine[cluster]``: a plain text.
        extra_modules: the modules that `extra` installs: a tuple of plain texts.
        Options: the data class of its options (see `mtbench.contract.option`), a class attribute.
        is_local: True if it executes runs on this machine, whose devices and speeds are then those of the runs; a class
            attribute.
        options: an instance of `Options`.
    """

    extra: ClassVar[str] = ""
    extra_modules: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Any]] = NoOptions
    is_local: ClassVar[bool] = False

    def __init__(self, options: Any = None) -> None:
        self.options = self.Options() if options is None else options

    @property
    def waits(self) -> bool:
        """True if `execute` returns when every run is over, and does not leave runs to a scheduler."""
        return True

    def places(self, device: str, jobs: int | None, runs_per_device: int) -> list[str]:  # noqa: ARG002
        """Return a device for each run that may be at work at a time.

        Args:
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            jobs: the number of runs at a time, if it was given.
            runs_per_device: the number of runs that share a GPU.

        Raises:
            UsageError: there is no such device, or the engine does not have this choice.
        """
        return [device] * (jobs or 1)

    @abstractmethod
    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        """Execute runs, and return what became of each.

        Runs that fail do not affect others. A run that has a record already is not trained; one that another process
        has leased is waited for.

        Raises:
            Stopped: Ctrl-C, SIGTERM or SIGHUP was received.
            RunError: nothing can be executed here.
        """


def outcome(job: Job, why: str = "") -> Outcome:
    """Return what became of a run, by the files in its folder.

    Args:
        job: the run.
        why: the reason for which it has neither a record nor a failure, if it has none.
    """
    run = RunFolder(job.folder)
    try:
        if run.record() is not None:
            return Outcome(job=job, how="done", why="")
    except MtbenchError as cause:
        return Outcome(job=job, how="failed", why=str(cause))
    failure = run.failure()
    return Outcome(
        job=job, how="failed", why=failure.message if failure else why or "its process ended without a record"
    )
