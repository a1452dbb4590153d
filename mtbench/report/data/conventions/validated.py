"""The epoch that is best on the validation split, as ``select=best-val`` of a training protocol chooses it."""

import math
from collections.abc import Sequence

from mtbench.report.data.conventions.series import last_phase
from mtbench.store.record import Record, TaskInfo

__all__ = ["validated_epoch"]


def validated_epoch(record: Record, tasks: Sequence[TaskInfo]) -> int | None:
    """Return the epoch with the best mean over tasks of the gain on the validation split over the first epoch.

    The gain is that of `mtbench.train.selection.best_epoch`, so that a run with ``select=last`` tells the epoch that it
    would have had with ``select=best-val``. The earliest of equally good epochs is returned. Of a run in phases, which
    cannot be trained with ``select=best-val``, the last phase counts alone.

    Returns:
        The epoch, counted from 1; None if the curve has no validation, or no task is defined at its first point.
    """
    validated = {point.epoch: point for point in record.curve if "val" in point.results}
    points = list(last_phase(record, validated).values())
    gains = [
        _gains(series, 1 if task.higher_is_better else -1)
        for task in tasks
        for series in [[point.results["val"][task.name].metrics[task.metric] for point in points]]
        if series and math.isfinite(series[0])
    ]
    means = [sum(each) / len(each) for each in zip(*gains, strict=True)]
    known = [index for index, mean in enumerate(means) if math.isfinite(mean)]
    return points[max(known, key=lambda index: means[index])].epoch if known else None


def _gains(series: Sequence[float], sign: int) -> list[float]:
    divisor = next((abs(value) for value in series if value and math.isfinite(value)), 1.0)
    return [sign * (value - series[0]) / divisor for value in series]
