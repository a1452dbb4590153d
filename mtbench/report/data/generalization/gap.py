"""The generalization gap of a run: its loss on the test split minus that on training examples.

Both are losses of the weights that the run reports, in evaluation mode and without weights of tasks. Those of training
are over the first examples of the training split (`mtbench.train.loop.TRAIN_EXAMPLES`).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.store.record import Record

__all__ = ["GAP", "gap_of", "gaps", "losses"]

GAP = "gap"
"""The name of the quantity."""


def gaps(comparison: Comparison, column: str) -> list[NDArray[np.float64]]:
    """Return the gap of each method per seed of the comparison (S,), NaN where there is no finished run.

    Args:
        comparison: runs of some methods.
        column: a task, or `mtbench.plan.suite.MEAN` for the mean over tasks.
    """
    return [gap_of(method, column, comparison.seeds) for method in comparison.methods]


def gap_of(method: MethodRuns, column: str, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return the test loss minus the training loss of one method per seed (S,), as in `gaps`."""
    return losses(method, column, "test", seeds) - losses(method, column, "train", seeds)


def losses(method: MethodRuns, column: str, split: str, seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return the loss of a method on a split with the reported weights per seed (S,), NaN without.

    Args:
        method: runs of the method.
        column: a task, or `mtbench.plan.suite.MEAN` for the mean over tasks.
        split: the name of the split; of ``train`` the record has a part.
        seeds: the seeds, S of them.
    """
    records = method.records
    return np.array([_loss(records[seed], column, split) if seed in records else math.nan for seed in seeds])


def _loss(record: Record, column: str, split: str) -> float:
    results = record.results.get(split, {})
    names = [task.name for task in record.tasks] if column == MEAN else [column]
    values = [results[name].loss if name in results else math.nan for name in names]
    return sum(values) / len(values)
