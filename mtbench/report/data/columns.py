"""Columns of tables: a metric of a task, or its mean over tasks, and the numbers of runs in one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.contract import Metric
from mtbench.plan.suite import MEAN
from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison
from mtbench.store.record import Record

__all__ = ["MANY", "Column", "column_of", "columns_of", "is_wide", "scores"]

MANY = 12
"""The largest number of tasks that have a column each."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A metric of a task, or its mean over tasks.

    Attributes:
        name: the task's name, or ``mean``.
        is_mean: True if it is the mean over tasks within each run.
        metric: the name of the metric, e.g. ``accuracy``.
        unit: e.g. ``%``; may be empty.
        higher_is_better: the good direction.
    """

    name: str
    is_mean: bool
    metric: str
    unit: str
    higher_is_better: bool

    def score(self, record: Record) -> float:
        """Return the value of a run in this column on the test split; NaN where it has none."""
        return record.mean(metric=self.metric) if self.is_mean else record.value(self.name, self.metric)


def columns_of(comparison: Comparison, choices: Choices = DEFAULT) -> tuple[Column, ...]:
    """Return the chosen metrics of each task, then for each of them that all tasks share the mean over tasks.

    By default the primary metrics. Tasks that have none of the chosen metrics are left out.
    """
    if names := choices.named(comparison.tasks):
        shown = [(task.name, metric) for task in comparison.tasks for metric in task.metrics if metric.name in names]
        shared = [metric for metric in comparison.shared_metrics if metric.name in names]
    else:
        shown = [(task.name, task.metrics[0]) for task in comparison.tasks]
        shared = [comparison.common_metric.metrics[0]] if comparison.common_metric else []
    return (*(column_of(name, metric) for name, metric in shown), *(column_of(MEAN, metric) for metric in shared))


def is_wide(columns: Sequence[Column]) -> bool:
    """Return whether the tasks are too many for a column each."""
    return len({column.name for column in columns if not column.is_mean}) > MANY


def scores(comparison: Comparison, column: Column) -> np.ndarray:
    """Return the test metric (methods, seeds) of a column with the reported weights; NaN where there is no finished
    run."""
    seeds = comparison.seeds
    rows = []
    for method in comparison.methods:
        records = method.records
        rows.append([column.score(records[seed]) if seed in records else math.nan for seed in seeds])
    return np.array(rows, dtype=float).reshape(len(rows), len(seeds))


def column_of(name: str, metric: Metric) -> Column:
    """Return the column of a metric of a task, or with the name ``mean`` that of its mean over tasks."""
    return Column(
        name=name,
        is_mean=name == MEAN,
        metric=metric.name,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
    )
