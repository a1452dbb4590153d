"""Runs beside constant predictions: numbers that are not above those of a prediction that ignores its input.

The best constant prediction of a task, such as the majority class, is in each run's record. A number is above it

- of two runs or more: if the 95 % confidence interval of the mean difference over seeds is above 0;
- of one run: if the constant lies below the 95 % interval over test images. Of accuracy that is Wilson's interval
  (Probable inference, J. Am. Stat. Assoc. 22, 1927), p - c > z sqrt(c (1 - c) / N), with p the run's accuracy and c the
  constant's; of the mean over tasks, whose answers to one image are not independent, the mean of the tasks' bounds,
  which is the most that it can be. Of other metrics the images are not counted, and the numbers themselves decide.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.text import listed
from mtbench.stats.summary import t_interval
from mtbench.store.record import Record, TaskInfo

if TYPE_CHECKING:
    from mtbench.report.data.columns import Column

__all__ = ["BALANCED", "COUNTED", "UNEQUAL", "Constants", "constants_of", "level", "not_above", "unequal_tasks"]

BALANCED = ("balanced-accuracy", "macro-f1")
"""Metrics that reports add where classes are unequal."""
COUNTED = "accuracy"
"""The metric that is a fraction of the test images."""
UNEQUAL = 1.2
"""The multiple of 1/C that the majority class of C classes has where classes are called unequal."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """The constant predictions of a table.

    Attributes:
        name: ``majority class`` or ``mean`` where all are that, else ``constant`` with the names in brackets.
        values: per column, as tables show it; NaN where there is none.
    """

    name: str
    values: tuple[float, ...]


def constants_of(comparison: Comparison, columns: "Sequence[Column]") -> Constants | None:
    """Return the constant predictions in the columns of a table; None if no record has one of them."""
    records = [record for method in comparison.methods for record in method.records.values()]
    values = [_mean(level(record, column) for record in records) for column in columns]
    if all(map(math.isnan, values)):
        return None
    names = sorted({constant.name for record in records for constant in record.constants.values()})
    return Constants(name=names[0] if len(names) == 1 else f"constant ({listed(names)})", values=tuple(values))


def level(record: Record, column: "Column") -> float:
    """Return what the constant prediction has in a column on the test split of a run; NaN where there is none."""
    levels = [_level(record, task, column.metric) for task in _tasks(record, column)]
    return sum(levels) / len(levels) if levels else math.nan


def not_above(method: MethodRuns, column: "Column") -> bool:
    """Return whether a method has a number in a column that is not above that of the constant prediction, in the good
    direction of the metric; False where there is no such prediction."""
    sign = 1 if column.higher_is_better else -1
    known = [(record, sign * (column.score(record) - level(record, column))) for record in method.records.values()]
    known = [(record, margin) for record, margin in known if not math.isnan(margin)]
    margins = [margin for _, margin in known]
    if len(known) == 1:
        return margins[0] <= _over_images(known[0][0], column)
    interval = t_interval(margins)
    return interval is not None and interval[0] <= 0


def unequal_tasks(comparison: Comparison) -> tuple[TaskInfo, ...]:
    """Return the tasks whose classes are unequal: the majority class has at least 1.2 / C of the labels of the test
    split. Its balanced accuracy is 1 / C, of the C classes that occur there."""
    records = [record for method in comparison.methods for record in method.records.values()]

    def is_unequal(task: TaskInfo) -> bool:
        accuracy, balanced = (
            _mean(_level(each, task.name, name) for each in records) for name in (COUNTED, BALANCED[0])
        )
        return accuracy >= UNEQUAL * balanced > 0

    return tuple(filter(is_unequal, comparison.tasks))


def _over_images(record: Record, column: "Column") -> float:
    """Return how far above the constant prediction a number of one run must be, in the metric's unit."""
    if column.metric != COUNTED:
        return 0.0
    bounds = []
    for task in _tasks(record, column):
        fraction = min(1.0, _level(record, task, column.metric) / 100)
        bounds.append(100 * _Z * math.sqrt(fraction * (1 - fraction) / record.results["test"][task].count))
    return sum(bounds) / len(bounds)


def _tasks(record: Record, column: "Column") -> Iterator[str]:
    return (task.name for task in record.tasks if column.is_mean or task.name == column.name)


def _level(record: Record, task: str, metric: str) -> float:
    constant = record.constants.get(task)
    return constant.metrics.get(metric, math.nan) if constant else math.nan


def _mean(values: Iterator[float]) -> float:
    """Return the mean of those that are not NaN; NaN of none."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


_Z = NormalDist().inv_cdf(0.975)
