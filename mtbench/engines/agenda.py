"""The requested runs, sorted into those to be done, those that are done, and those that are left alone."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mtbench.engines.engine import Job
from mtbench.errors import Busy
from mtbench.plan.spec import RunSpec
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.status import RunStatus, status_of

__all__ = ["REFRESH", "Agenda", "job_of", "make_agenda", "supersede"]

REFRESH = ("stale", "failed", "damaged", "all")
"""States in which a run can be repeated on request."""


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """The requested runs, sorted by what is to be done with them.

    Attributes:
        todo: runs to be done, including those that another mtbench process is working on.
        again: the runs of `todo` whose files are moved away first.
        resumed: the number of runs of `todo` that resume from a checkpoint.
        done: runs that have a record; stale ones included.
        left: failed and damaged runs whose repetition was not requested.
    """

    todo: tuple[RunStatus, ...]
    again: tuple[RunStatus, ...]
    resumed: int
    done: tuple[RunStatus, ...]
    left: tuple[RunStatus, ...]


def make_agenda(runs: Sequence[RunStatus], refresh: Collection[str]) -> Agenda:
    """Sort the runs; `refresh` names the states of `REFRESH` whose runs are repeated."""
    asked = set(refresh)
    again = [run for run in runs if run.state not in ("missing", "running") and asked & {run.state, "all"}]
    moved = {run.folder for run in again}
    todo = [run for run in runs if run.folder in moved or _is_unfinished(run)]
    planned = {run.folder for run in todo}
    rest = [run for run in runs if run.folder not in planned]
    return Agenda(
        todo=tuple(todo),
        again=tuple(again),
        resumed=sum(run.record is None and RunFolder(run.folder).has_checkpoint for run in todo),
        done=tuple(run for run in rest if run.record is not None),
        left=tuple(run for run in rest if run.record is None),
    )


def supersede(run: RunStatus, root: Path) -> None:
    """Move the results of a run aside, unless they changed since its state was read.

    Two commands that refresh the same runs at the same time so do each of them once.
    """
    with suppress(Busy), leased(RunFolder(run.folder)) as held:
        if run.state == "failed":
            is_unchanged = not held.has_record and held.failure() is not None
        else:
            now = status_of(run.folder, run.spec, root)
            is_unchanged = (now.state, now.record) == (run.state, run.record)
        if is_unchanged:
            held.supersede()


def job_of(folder: Path, spec: RunSpec) -> Job:
    """Return the job that an engine is given for a run."""
    return Job(folder=folder, title=f"{spec.titles.dataset} {spec.titles.method} seed {spec.seed}")


def _is_unfinished(run: RunStatus) -> bool:
    failure = RunFolder(run.folder).failure() if run.state == "failed" else None
    return run.state in ("missing", "running") or (failure is not None and failure.is_retryable)
