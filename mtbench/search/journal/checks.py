"""Comparison of the trials in a journal with the search and with the sealed records of their runs."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from mtbench.errors import DamagedRecord
from mtbench.plan.spec import RunSpec
from mtbench.search.journal.trials import Journal, JournalEntry
from mtbench.search.planning import StudyPlan
from mtbench.search.points import default_point
from mtbench.store.record import Record
from mtbench.store.results import find_runs
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import mean

__all__ = ["check_trials"]


def check_trials(plan: StudyPlan, journal: Journal, specs: Callable[[int], Sequence[RunSpec]], results: Path) -> None:
    """Check that each trial has settings and tasks of the search, and if it is finished, what its runs' records have.

    A run without a record, or whose record lacks a value on the validation split, contradicts nothing, unless it
    failed for good.

    Args:
        journal: the trials, as they were when it was opened.
        specs: returns the runs of a trial; none if its settings do not fit each other.

    Raises:
        StoreError: a trial does not; the text names the line.
    """
    entries = journal.entries()
    for entry in entries:
        lines = journal.lines[entry.number]
        if entry.asked.keys() != {axis.name for axis in plan.axes} or not _has_tasks(plan, entry):
            why = f"trial {entry.number} has other settings or tasks than the search"
            raise journal.unreadable(why, line=lines.outcome or lines.proposed)
        if entry.number == 0 and (entry.asked, entry.past.proposal.point) != (plan.default, default_point(plan.axes)):
            raise journal.unreadable("trial 0 does not have the default settings", line=lines.proposed)
        own = {Path(spec.folder).name for spec in specs(entry.number)}  # a run is known by its identity
        if not {Path(run).name for run in entry.outcome.runs} <= own:
            raise journal.unreadable(f"trial {entry.number} has a run of another setting", line=lines.outcome)
    every = [spec for entry in entries for spec in specs(entry.number)]
    folders = dict(zip((spec.id for spec in every), find_runs(results, every), strict=True))
    for entry in entries:
        if why := _contradiction(plan, entry, [folders[spec.id] for spec in specs(entry.number)]):
            lines = journal.lines[entry.number]
            raise journal.unreadable(f"trial {entry.number} {why}", line=lines.outcome or lines.proposed)


def _has_tasks(plan: StudyPlan, entry: JournalEntry) -> bool:
    """Return True if an outcome has no values, or finite ones of all tasks."""
    values = entry.outcome.values
    return values is None or (
        values.keys() == {task.name for task in plan.tasks} and all(map(math.isfinite, values.values()))
    )


def _contradiction(plan: StudyPlan, entry: JournalEntry, runs: Sequence[RunFolder]) -> str:
    """Return the difference of a trial from its own runs; empty if there is none."""
    point, values = entry.past.proposal.point, entry.outcome.values
    if entry.number and point and dict(entry.asked) != {axis.name: axis.text(point) for axis in plan.axes}:
        return "has another point than its runs"
    if entry.state == "asked":
        return ""
    if not runs:
        return "is done, and its settings do not fit each other" if values is not None else ""
    records = {run.path: _record(run) for run in runs}
    found = _recorded(plan, list(records.values()))
    if values is None:
        return "failed, and its runs have whole records" if found is not None else ""
    if entry.outcome.why:
        return "is done, and has a reason why it failed"
    if not _are_close(entry.past.values or (), plan.study.score(values)):
        return "has another objective than its values"
    if found is not None and not _are_close([values[name] for name in found], found.values()):
        unlike = ", ".join(f"{name} {values[name]:.6g} and not {found[name]:.6g}" for name in found)
        return f"has other values than the records: {unlike}"
    trained = {Path(run).name: epochs for run, (epochs, _) in entry.outcome.runs.items()}
    for path, record in records.items():
        if record and record.curve and (epochs := record.curve[-1].epoch) != trained.get(path.name, epochs):
            return f"has another number of epochs than the record in {path}"
    failed = [run for run in runs if not run.has_record and (why := run.failure()) and not why.is_retryable]
    return f"is done, and its run {failed[0].path} failed" if failed else ""


def _record(run: RunFolder) -> Record | None:
    """Return the record of a run; None if it has none, or a damaged one, as its state tells."""
    try:
        return run.record()
    except DamagedRecord:
        return None


def _recorded(plan: StudyPlan, records: Sequence[Record | None]) -> Mapping[str, float] | None:
    """Return the mean over runs of the metric of each task on the validation split; None if a record lacks it."""
    found = {
        task.name: mean([math.nan if record is None else record.score(task, "val") for record in records])
        for task in plan.tasks
    }
    return found if all(map(math.isfinite, found.values())) else None


def _are_close(first: Iterable[float], second: Iterable[float]) -> bool:
    """Return True if numbers are equal but for rounding, as earlier versions may have rounded their means."""
    pairs = list(zip_longest(first, second, fillvalue=math.nan))
    return all(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) for one, other in pairs)
