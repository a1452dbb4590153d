"""The error of methods at the same training loss, read from their curves.

A curve has the training loss of each epoch: the mean over the labels used in it, without weights of tasks and auxiliary
losses, in training mode and while the weights change. It is of the same kind for all methods that have no dropout; a
method whose loss is far from that of the same weights in evaluation mode is `unlike` the others, and is not compared.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.frame import held_out_split
from mtbench.store.record import Record, TaskInfo

__all__ = ["UNLIKE", "EqualLoss", "Trajectory", "errors_at_equal_loss", "mode_ratio", "trajectory"]

UNLIKE = 1.5
"""The ratio of the training loss of the last epoch to that in evaluation mode, in either direction, beyond which a
method is not compared at equal training loss: without dropout it is .85 to 1.2 in most runs, with dropout of a half
about 2."""


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The training of one run, seen from one task.

    Attributes:
        epochs: (P,) the epochs of the points of the curve.
        losses: (P,) training losses.
        errors: (P,) errors on the held-out split.
    """

    epochs: NDArray[np.int64]
    losses: NDArray[np.float64]
    errors: NDArray[np.float64]

    def error_at(self, loss: float) -> float:
        """Return the error at a training loss, interpolated linearly in the logarithm of the loss.

        Only points with a positive loss that is lower than those of all points before count. NaN beyond them: nothing
        is extrapolated.
        """
        low, error = self._descent()
        if not len(low) or not low[-1] <= loss <= low[0]:
            return math.nan
        return float(np.interp(math.log(loss), np.log(low[::-1]), error[::-1]))

    @property
    def lowest(self) -> float:
        """The lowest positive training loss; NaN without."""
        low, _ = self._descent()
        return float(low[-1]) if len(low) else math.nan

    def _descent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        known = (self.losses > 0) & np.isfinite(self.losses) & np.isfinite(self.errors)
        losses, errors = self.losses[known], self.errors[known]
        before = np.concatenate([[math.inf], np.minimum.accumulate(losses)[:-1]]) if len(losses) else losses
        return losses[losses < before], errors[losses < before]


@dataclass(frozen=True, kw_only=True)
class EqualLoss:
    """Errors at equal training loss, for one task or their mean.

    Attributes:
        levels: (S,) the training loss per seed at which methods are compared: the largest of the lowest training losses
            of the compared methods; of the mean over tasks the mean.
        errors: the error (S,) of each method by title; NaN for methods that are not compared, for runs that are not
            finished and for those that start below the level.
    """

    levels: NDArray[np.float64]
    errors: Mapping[str, NDArray[np.float64]]


def errors_at_equal_loss(comparison: Comparison, methods: Sequence[MethodRuns], column: str) -> EqualLoss:
    """Return the errors of some methods at the same training loss of a task, for each seed by itself.

    Args:
        comparison: the comparison that the methods are of.
        methods: the methods; those that are `UNLIKE` the others are left out of the comparison.
        column: a task, or `mtbench.plan.suite.MEAN` for the mean of the errors over tasks, each at an equal loss of its
            own.
    """
    if column == MEAN:
        parts = [errors_at_equal_loss(comparison, methods, task.name) for task in comparison.tasks]
        titles = [method.title for method in methods]
        return EqualLoss(
            levels=np.mean([part.levels for part in parts], axis=0),
            errors={title: np.mean([part.errors[title] for part in parts], axis=0) for title in titles},
        )
    split, (task,) = held_out_split(comparison), [task for task in comparison.tasks if task.name == column]
    runs = {
        method.title: {seed: trajectory(record, task, split) for seed, record in method.records.items()}
        for method in methods
        if alike(method)
    }
    levels = np.array([_level([each[seed] for each in runs.values() if seed in each]) for seed in comparison.seeds])
    errors = {
        method.title: np.array(
            [
                found[seed].error_at(level) if (found := runs.get(method.title, {})) and seed in found else math.nan
                for seed, level in zip(comparison.seeds, levels, strict=True)
            ]
        )
        for method in methods
    }
    return EqualLoss(levels=levels, errors=errors)


def trajectory(record: Record, task: TaskInfo, split: str) -> Trajectory:
    """Return the training of a run, seen from one task.

    The error is 100 minus the primary metric if that is in % and higher is better, else the metric itself.
    """
    points = [point for point in record.curve if split in point.results]
    values = np.array([point.results[split][task.name].metrics[task.metric] for point in points], dtype=float)
    return Trajectory(
        epochs=np.array([point.epoch for point in points], dtype=np.int64),
        losses=np.array([point.train_losses.get(task.name, math.nan) for point in points], dtype=float),
        errors=100 - values if is_share(task) else values,
    )


def is_share(task: TaskInfo) -> bool:
    """Return whether the primary metric is in % and higher is better, so that 100 minus it is an error."""
    return task.unit == "%" and task.higher_is_better


def alike(method: MethodRuns) -> bool:
    """Return whether the training losses of a method's curves can be compared with those of others."""
    ratio = mode_ratio(method)
    return math.isnan(ratio) or 1 / UNLIKE <= ratio <= UNLIKE


def mode_ratio(method: MethodRuns) -> float:
    """Return the training loss of the last epoch over that of its weights in evaluation mode.

    Returns:
        The geometric mean over tasks and runs; NaN if no run reports its last epoch, or all losses are 0.
    """
    ratios = [
        point.train_losses.get(name, math.nan) / result.loss
        for record in method.records.values()
        for point in record.curve[-1:]
        if point.epoch == record.selected_epoch
        for name, result in record.results.get("train", {}).items()
        if result.loss > 0
    ]
    known = [math.log(ratio) for ratio in ratios if ratio > 0]
    return math.exp(sum(known) / len(known)) if known else math.nan


def _level(runs: Sequence[Trajectory]) -> float:
    lowest = [run.lowest for run in runs if not math.isnan(run.lowest)]
    return max(lowest, default=math.nan)
