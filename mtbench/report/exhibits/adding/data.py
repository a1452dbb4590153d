"""Results of the old tasks, and of the new one, in runs that add a task to a trained network."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import Suite
from mtbench.report.data.frame import held_out_split
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.page.suite import called
from mtbench.store.record import PhaseInfo, Record, TaskInfo, TaskResult

__all__ = ["Added", "Addition", "additions"]


@dataclass(frozen=True, kw_only=True)
class Added:
    """A method whose task was added in one way.

    Arrays have a value per seed (S,), NaN where there is none.

    Attributes:
        method: the suite's name for it, and `title` what it is called in reports.
        mode: the parameters that are trained when the task is added: ``own`` (only the new task's) or ``all``.
        seeds: the seeds of the arrays.
        new: the new task's test metric after the second phase.
        old: the mean over the old tasks of their test metric after the second phase.
        before, after: that mean at the end of the first phase, and of the second, both on the split of the curve.
        at_once, old_at_once: the new task's test metric, and the mean over the old ones, of the run of the same seed
            that learned all tasks from the start; NaN where the suite has none.
        phase: the second, of which all runs of a method have the same numbers; None before a run has finished.
        finished: number of runs that have a record.
    """

    method: str
    title: str
    mode: str
    seeds: tuple[int, ...]
    new: NDArray[np.float64]
    old: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    at_once: NDArray[np.float64]
    old_at_once: NDArray[np.float64]
    phase: PhaseInfo | None
    finished: int

    @property
    def change(self) -> NDArray[np.float64]:
        """The change of the old tasks in the second phase (S,): after minus before, within each run."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class Addition:
    """All that was added on one dataset under otherwise one variation of the protocol.

    Attributes:
        dataset: the dataset as in the suite.
        fixed: the variation, but for how the task is added.
        task: the new task.
        old: the tasks before it.
        split: the split on which the change of the old tasks was measured.
        planned: the number of seeds of the suite.
        methods: the methods by mode, in the suite's order.
    """

    dataset: str
    fixed: tuple[tuple[str, str], ...]
    task: TaskInfo
    old: tuple[TaskInfo, ...]
    split: str
    planned: int
    methods: tuple[Added, ...]

    @property
    def words(self) -> str:
        """The dataset and the variation."""
        return self.dataset + "".join(f", {name}={value}" for name, value in self.fixed)

    @property
    def alike(self) -> bool:
        """True if the old tasks share a metric, so that a mean over them has a meaning."""
        return len({(task.metric, task.unit, task.higher_is_better) for task in self.old}) == 1


def additions(runs: SuiteRuns) -> list[Addition]:
    """Return what a suite adds, by dataset and variation; nothing of what no run has finished of."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Sheet]] = {}
    for sheet in runs.sheets:
        if sheet.comparison.protocol.adds != "none" and sheet.comparison.tasks:
            groups.setdefault((sheet.dataset, _fixed(sheet)), []).append(sheet)
    return [_addition(runs, dataset, fixed, sheets) for (dataset, fixed), sheets in groups.items()]


def _fixed(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in sheet.variation if name != "adds")


def _addition(runs: SuiteRuns, dataset: str, fixed: tuple[tuple[str, str], ...], sheets: list[Sheet]) -> Addition:
    *old, task = sheets[0].comparison.tasks  # the last one is held back
    starts = [
        sheet
        for sheet in runs.sheets
        if sheet.dataset == dataset and _fixed(sheet) == fixed and sheet.comparison.protocol.adds == "none"
    ]
    return Addition(
        dataset=dataset,
        fixed=fixed,
        task=task,
        old=tuple(old),
        split=held_out_split(sheets[0].comparison),
        planned=sheets[0].planned,
        methods=tuple(each for sheet in sheets for each in _methods(runs.suite, sheet, starts, task, old)),
    )


def _methods(suite: Suite, sheet: Sheet, starts: list[Sheet], task: TaskInfo, old: list[TaskInfo]) -> Iterator[Added]:
    split = held_out_split(sheet.comparison)
    for method, title in called(suite, [sheet]).items():
        found = sheet.runs(method)
        assert found is not None
        records = found.records
        from_start = next((each.records for start in starts if (each := start.runs(method))), dict[int, Record]())
        seeds = tuple(sorted({run.spec.seed for run in found.runs}))
        phase = next((record.phases[-1] for record in records.values() if record.phases), None)
        yield Added(
            method=method,
            title=title,
            mode=sheet.comparison.protocol.adds,
            seeds=seeds,
            new=_array(_final(records.get(seed), [task]) for seed in seeds),
            old=_array(_final(records.get(seed), old) for seed in seeds),
            before=_array(_before(records.get(seed), old, split) for seed in seeds),
            after=_array(_final(records.get(seed), old, split) for seed in seeds),
            at_once=_array(_final(from_start.get(seed), [task]) for seed in seeds),
            old_at_once=_array(_final(from_start.get(seed), old) for seed in seeds),
            phase=phase,
            finished=len(records),
        )


def _array(values: Iterator[float]) -> NDArray[np.float64]:
    return np.array(list(values), dtype=np.float64)


def _final(record: Record | None, tasks: list[TaskInfo], split: str = "test") -> float:
    return math.nan if record is None else _mean(record.results.get(split, {}), tasks)


def _before(record: Record | None, tasks: list[TaskInfo], split: str) -> float:
    """Return the mean over tasks at the curve's point where the first phase ends; NaN if there is none."""
    if record is None or not record.phases:
        return math.nan
    end = record.phases[0].epochs
    point = next((point for point in record.curve if point.epoch == end), None)
    return math.nan if point is None else _mean(point.results.get(split, {}), tasks)


def _mean(results: Mapping[str, TaskResult], tasks: list[TaskInfo]) -> float:
    values = [results[task.name].metrics[task.metric] if task.name in results else math.nan for task in tasks]
    return sum(values) / len(values) if values else math.nan
