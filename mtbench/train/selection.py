"""The epoch whose weights are reported where a protocol says ``select=best-val``; the test split has no part in it."""

import math
from collections.abc import Sequence

from mtbench.contract import Task
from mtbench.errors import UsageError
from mtbench.store.record import CurvePoint

__all__ = ["best_epoch"]


def best_epoch(curve: Sequence[CurvePoint], tasks: Sequence[Task]) -> int:
    """Return the epoch of the point with the best mean over tasks of the gain on the validation split.

    With M_t(e) the primary metric of task t after epoch e, e0 the first point's epoch, and s_t = 1 if higher is better,
    else -1: gain_t(e) = s_t (M_t(e) - M_t(e0)) / |M_t(e0)|. The earliest of equally good points is returned, so that a
    later point changes nothing among those before it.

    Where M_t(e0) is 0, the divisor is the first |M_t| that is not; up to there the gain is 0. A task whose metric is
    not finite at e0, e.g. for want of labels, is left out. A point where another task's metric is not finite is never
    returned.

    Raises:
        UsageError: no task has a finite metric at the first point.
    """
    values = [[point.results["val"][task.name].metrics[task.kind.metrics[0].name] for point in curve] for task in tasks]
    gains = [
        _gains(series, 1 if task.kind.metrics[0].higher_is_better else -1)
        for task, series in zip(tasks, values, strict=True)
        if math.isfinite(series[0])
    ]
    if not gains:
        raise UsageError(
            "protocol setting 'select' is 'best-val', and no task can be measured on the validation split.",
            mend="Use --set select=last.",
        )
    means = [sum(each) / len(each) for each in zip(*gains, strict=True)]
    best = max(range(len(curve)), key=lambda index: means[index] if math.isfinite(means[index]) else -math.inf)
    return curve[best].epoch


def _gains(series: Sequence[float], sign: int) -> list[float]:
    divisor = next((abs(value) for value in series if value and math.isfinite(value)), 1.0)
    return [sign * (value - series[0]) / divisor for value in series]
