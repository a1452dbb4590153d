"""Counts and metrics of every task over a split, added up part by part.

The evaluation of a network adds its predictions as it answers; `mtbench.train.recompute` adds those that a run stored.
"""

from collections.abc import Sequence

from torch import Tensor

from mtbench.contract import Batches, Task
from mtbench.store.record import BatchMeans
from mtbench.train.batch_means import BatchMeter

__all__ = ["Scores"]


class Scores:
    """Counts and metrics of every task; parts come in the ascending order of their examples.

    Attributes:
        counts: the number of examples of each task so far.
    """

    def __init__(self, tasks: Sequence[Task], count: int, batches: Sequence[Batches] = ()) -> None:
        """Args: `count` is the number of examples of the split; `batches` are kinds of batches to average over."""
        self.counts = [0] * len(tasks)
        self._tasks = tasks
        self._tallies = [task.kind.tally() for task in tasks]
        self._meters = [BatchMeter(each, tasks, count) for each in batches]

    def add(self, index: int, rows: Tensor, predictions: Tensor, targets: Tensor) -> None:
        """Add examples of a task.

        Args:
            index: the index of the task.
            rows: (n,) int64, the places of the examples in the split.
            predictions, targets: (n, ...), see `mtbench.contract.Tally.add`.
        """
        self.counts[index] += len(rows)
        self._tallies[index].add(predictions, targets)
        for meter in self._meters:
            meter.add(self._tasks[index].name, rows, predictions, targets)

    def metrics(self) -> list[dict[str, float]]:
        """Return the metrics of each task by name."""
        return [tally.score() for tally in self._tallies]

    def batch_means(self) -> tuple[BatchMeans, ...]:
        """Return the means over each kind of batches, after the last part."""
        return tuple(meter.result() for meter in self._meters)
