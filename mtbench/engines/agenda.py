"""The requested runs, sorted into those to be done, those that are done, and those that are left alone."""

import dataclasses
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from mtbench.engines.pool import Job
from mtbench.engines.processes import spawn
from mtbench.errors import Busy
from mtbench.plan.spec import RunSpec
from mtbench.store.folder import RunFolder
from mtbench.store.status import RunStatus, status_of
from mtbench.train.device import choose_device
from mtbench.train.estimate import seconds

__all__ = ["REFRESH", "Agenda", "estimate", "job", "make_agenda", "measure", "supersede"]

REFRESH = ("stale", "failed", "damaged", "all")
"""States of runs that can be done again on request."""
BUDGET = 20.0
"""Seconds that may be spent on an estimate of the runs' time."""


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """The requested runs, sorted.

    Attributes:
        todo: to be done, those included that another mtbench is working on.
        again: those of `todo` whose files are to be moved away first.
        resumed: how many of `todo` go on from a checkpoint.
        done: they have a record; stale ones included.
        left: failed and damaged ones that nobody asked for again.
    """

    todo: tuple[RunStatus, ...]
    again: tuple[RunStatus, ...]
    resumed: int
    done: tuple[RunStatus, ...]
    left: tuple[RunStatus, ...]


def make_agenda(runs: Sequence[RunStatus], refresh: Collection[str]) -> Agenda:
    """Sort out the runs; `refresh` names the states of `REFRESH` that are to be done again."""
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
    with suppress(Busy), RunFolder(run.folder).leased() as leased:
        if run.state == "failed":
            is_unchanged = not leased.has_record and leased.failure() is not None
        else:
            now = status_of(run.folder, run.spec, root)
            is_unchanged = (now.state, now.record) == (run.state, run.record)
        if is_unchanged:
            leased.supersede()


def job(run: RunStatus) -> Job:
    """Return the job that the pool is given for a run."""
    titles = run.spec.titles
    return Job(folder=run.folder, title=f"{titles.dataset} {titles.method} seed {run.spec.seed}")


def estimate(specs: Sequence[RunSpec], *, root: Path, slots: Sequence[str]) -> float | None:
    """Estimate the seconds that the runs will take together; None if that is not possible.

    One run of each kind is measured for a few steps, in a process of its own, for no longer than `BUDGET`; a kind that
    was not reached counts as the mean of the others.
    """
    kinds: dict[str, list[RunSpec]] = {}
    for spec in specs:
        kinds.setdefault(dataclasses.replace(spec, seed=0).id, []).append(spec)
    process, pipe = spawn(measure, [alike[0].to_json() for alike in kinds.values()], str(root), slots[0])
    deadline, found = time.monotonic() + BUDGET, list[float | None]()
    with suppress(EOFError, OSError):
        while len(found) < len(kinds) and pipe.poll(max(0.0, deadline - time.monotonic())):
            found.append(pipe.recv())
    process.kill()
    process.join()
    pipe.close()
    # What was not reached is missing at the end.
    known = [(spent, len(alike)) for spent, alike in zip(found, kinds.values(), strict=False) if spent is not None]
    if not known:
        return None
    mean = sum(spent * count for spent, count in known) / sum(count for _, count in known)
    longest = max(spent for spent, _ in known)
    return max(longest, mean * len(specs) / min(len(slots), len(specs)))


def measure(specs: Sequence[str], root: str, device: str, pipe: Connection) -> None:
    """Send, for each spec, the seconds of its run or None through the pipe: the process behind `estimate`."""
    for text in specs:
        try:
            pipe.send(seconds(RunSpec.from_json(text), root=Path(root), device=choose_device(device)))
        except Exception:  # what is wrong with the run shows when it is done
            pipe.send(None)


def _is_unfinished(run: RunStatus) -> bool:
    failure = RunFolder(run.folder).failure() if run.state == "failed" else None
    return run.state in ("missing", "running") or (failure is not None and failure.is_retryable)
