"""Test errors at equal training loss, and the gap between test and training loss."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN
from mtbench.report.data.columns import MANY
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.data.generalization.equal_loss import UNLIKE, errors_at_equal_loss, is_share, mode_ratio
from mtbench.report.data.generalization.gap import losses
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.stats.contrast import Contrast, paired
from mtbench.store.record import TaskInfo

__all__ = ["Compared", "Gaps", "Row", "gaps_of"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method on one task; arrays are per seed (S,), NaN where there is no number.

    Attributes:
        method: name in the suite.
        equal: error at equal training loss.
        against: its paired contrast to single-task networks; None for these, or without them.
        final: error of the reported weights on the test split.
        train: training loss of these weights, in evaluation mode.
        test: their loss on the test split.
    """

    method: str
    equal: NDArray[np.float64]
    against: Contrast | None
    final: NDArray[np.float64]
    train: NDArray[np.float64]
    test: NDArray[np.float64]

    @property
    def gap(self) -> NDArray[np.float64]:
        """The test loss minus the training loss."""
        return self.test - self.train


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The methods on one task, or in the mean over tasks.

    Attributes:
        column: the task's name, or ``mean``.
        task: the task whose metric it is.
        levels: (S,) the training losses at which errors are compared.
        rows: the methods, in the suite's order.
    """

    column: str
    task: TaskInfo
    levels: NDArray[np.float64]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """The methods of one sheet.

    Attributes:
        sheet: their runs.
        single: the suite's name of the single-task networks; empty if no run of them has finished.
        parts: the tasks, then the mean over them if they share a metric.
        ratios: the training loss of the last epoch over that in evaluation mode, by method.
    """

    sheet: Sheet
    single: str
    parts: tuple[Compared, ...]
    ratios: dict[str, float]

    @property
    def unlike(self) -> dict[str, float]:
        """The ratios of the methods that are not compared at equal training loss."""
        return {name: ratio for name, ratio in self.ratios.items() if not (1 / UNLIKE <= ratio <= UNLIKE or _no(ratio))}

    @property
    def shown(self) -> tuple[Compared, ...]:
        """The parts that pages and figures show: of many tasks their mean alone, if there is one."""
        mean = tuple(part for part in self.parts if part.column == MEAN)
        return mean if mean and len(self.parts) > MANY else self.parts


def gaps_of(runs: SuiteRuns) -> list[Gaps]:
    """Return the methods of each sheet that has finished runs."""
    return [_of(sheet) for sheet in runs.sheets if sheet.comparison.tasks]


def _of(sheet: Sheet) -> Gaps:
    comparison = sheet.comparison
    found = single_task_runs(comparison)
    names = dict(zip(sheet.methods, comparison.methods, strict=True))
    single = next((name for name, method in names.items() if method is found), "")
    mean = [(MEAN, comparison.common_metric)] if comparison.common_metric and len(comparison.tasks) > 1 else []
    columns = [*((task.name, task) for task in comparison.tasks), *mean]
    return Gaps(
        sheet=sheet,
        single=single,
        parts=tuple(_compared(sheet, single, column, task) for column, task in columns),
        ratios={name: mode_ratio(method) for name, method in names.items()},
    )


def _compared(sheet: Sheet, single: str, column: str, task: TaskInfo) -> Compared:
    comparison, seeds = sheet.comparison, sheet.comparison.seeds
    equal = errors_at_equal_loss(comparison, comparison.methods, column)
    scores, names = sheet.scores(column), dict(zip(sheet.methods, comparison.methods, strict=True))
    base = equal.errors[names[single].title] if single else None
    rows = tuple(
        Row(
            method=name,
            equal=equal.errors[method.title],
            against=paired(equal.errors[method.title], base) if base is not None and name != single else None,
            final=100 - scores[name] if is_share(task) else scores[name],
            train=losses(method, column, "train", seeds),
            test=losses(method, column, "test", seeds),
        )
        for name, method in names.items()
    )
    return Compared(column=column, task=task, levels=equal.levels, rows=rows)


def _no(ratio: float) -> bool:
    return math.isnan(ratio)
