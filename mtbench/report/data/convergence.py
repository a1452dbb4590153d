"""Methods that were still gaining when their training ended.

The gain of a run in the last tenth of training is its metric at the last point of the curve minus that at nine tenths
of the epochs, in the good direction; between two points of the curve lies a straight line. It is taken on the split
that every point was measured on, the validation split where the training protocol holds one out. The gain of a method
is the mean over its runs. A method is *not converged* if it gains more than the margin of a claim, or without a claim
more than `BOUND`. No test is made: by chance a table may have a mark too many.

Previews have no such marks: they are trained for a few epochs, and say on every page that they are previews.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from mtbench.plan.suite import MEAN
from mtbench.report import marks
from mtbench.report.data.columns import column_of
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.frame import held_out_split
from mtbench.report.data.gains.relative import DELTA
from mtbench.report.text import listed, signed
from mtbench.store.record import Record

__all__ = ["BOUND", "convergence_note", "late_gain", "unconverged"]

BOUND = 0.5
"""The gain in the last tenth of training up to which a method counts as converged, without a claim that names a margin:
in points where the metric is in %, else in % of the metric's value at the end."""
_LAST = 0.1


def unconverged(comparison: Comparison) -> list[float]:
    """Return the gain of each method that is not converged; NaN for all others, and everywhere in a preview.

    It is of the mean over tasks of their common metric, in points if that is in %; else, and where tasks have unlike
    metrics, the mean over tasks of the gain relative to the metric's value at the end, in %.
    """
    if comparison.quick or not comparison.tasks:
        return [math.nan] * len(comparison.methods)
    name = MEAN if _in_points(comparison) else DELTA
    gains = [late_gain(comparison, method, name) for method in comparison.methods]
    return [gain if gain > BOUND else math.nan for gain in gains]


def late_gain(comparison: Comparison, method: MethodRuns, name: str) -> float:
    """Return the gain of a method in the last tenth of training, the mean over its runs.

    Args:
        comparison: the comparison that has the method.
        method: one of its methods.
        name: a task, whose primary metric is meant; ``mean``, the mean over tasks of their primary metrics; or
            `DELTA`, the mean over tasks of the gain relative to the value at the end, in %.

    Returns:
        The gain in the metric's unit, positive in its good direction; NaN if no run has a point of its curve in the
        first nine tenths.
    """
    split = held_out_split(comparison)
    tasks = [task for task in comparison.tasks if name in (task.name, MEAN, DELTA)]
    columns = [column_of(task.name, task.metrics[0]) for task in tasks]
    relative = name == DELTA
    gains = [
        _mean(
            (1 if column.higher_is_better else -1) * _gain(record, split, column.name, column.metric, relative=relative)
            for column in columns
        )
        for record in method.records.values()
    ]
    return _mean(gains)


def convergence_note(comparison: Comparison, gains: Sequence[float]) -> str:
    """Return a footnote on the methods with a mark; empty if there are none.

    Args:
        comparison: the comparison of a table.
        gains: the result of `unconverged` for it.
    """
    found = zip(comparison.methods, gains, strict=True)
    marked = [f"{method.title} ({signed(gain)})" for method, gain in found if not math.isnan(gain)]
    if not marked:
        return ""
    of = "points of the mean over tasks" if _in_points(comparison) else "% of the metrics' values, mean over tasks"
    return (
        f"{marks.GAINING} Not converged: in the last tenth of training the mean over runs gains more than {BOUND:g} "
        f"{of}: {listed(marked)}."
    )


def _in_points(comparison: Comparison) -> bool:
    return comparison.common_metric is not None and comparison.common_metric.unit == "%"


def _gain(record: Record, split: str, task: str, metric: str, *, relative: bool) -> float:
    """Return how much more a metric is at the end of training than at nine tenths of it; in % of its value at the end,
    or in its unit."""
    known = [
        (point.epoch, value)
        for point in record.curve
        if task in point.results.get(split, {})
        and not math.isnan(value := point.results[split][task].metrics.get(metric, math.nan))
    ]
    if not known or known[0][0] > (1 - _LAST) * known[-1][0]:
        return math.nan
    epochs, values = zip(*known, strict=True)
    gain = float(values[-1] - np.interp((1 - _LAST) * epochs[-1], epochs, values))
    if not relative:
        return gain
    return 100 * gain / float(values[-1]) if values[-1] > 0 else math.nan  # of what crosses 0 no change is a fraction


def _mean(values: Iterable[float]) -> float:
    """Return the mean of those that are not NaN; NaN of none."""
    found = [value for value in values if not math.isnan(value)]
    return sum(found) / len(found) if found else math.nan
