"""Means of metrics over batches of examples in the order of the files, beside the metrics of all examples together."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.contract import Batches, Kind, Tally, Task
from mtbench.store.record import BatchMeans

__all__ = ["BatchMeter"]


class BatchMeter:
    """The means over one kind of batches, for every task of a network.

    Examples come in ascending order, in parts of any size: a batch is closed when a later one begins. Memory holds the
    tally of one batch per task.
    """

    def __init__(self, batches: Batches, tasks: Sequence[Task], count: int) -> None:
        """Args: `count` is the number of examples of the split."""
        self.batches = batches
        self._means = {task.name: _Mean(task.kind, batches, count) for task in tasks}

    def add(self, task: str, rows: Tensor, predictions: Tensor, targets: Tensor) -> None:
        """Add examples of a task.

        Args:
            rows: (n,) int64 in ascending order, the places of the examples in the split.
            predictions, targets: (n, ...), see `Tally.add`.
        """
        self._means[task].add(rows, predictions, targets)

    def result(self) -> BatchMeans:
        """Return the means after the last example."""
        metrics = {task: mean.result() for task, mean in self._means.items()}
        return BatchMeans(size=self.batches.size, by_examples=self.batches.by_examples, metrics=metrics)


class _Mean:
    """The means of one task's metrics over batches; a batch with an undefined metric is left out of its mean."""

    def __init__(self, kind: Kind, batches: Batches, count: int) -> None:
        self.kind, self.batches, self.count = kind, batches, count
        self.tally: Tally | None = None
        self.index = -1
        self.sums = {metric.name: 0.0 for metric in kind.metrics}
        self.weights = dict.fromkeys(self.sums, 0)

    def add(self, rows: Tensor, predictions: Tensor, targets: Tensor) -> None:
        indices, lengths = torch.unique_consecutive(rows // self.batches.size, return_counts=True)
        parts = lengths.tolist()
        pieces = zip(indices.tolist(), torch.split(predictions, parts), torch.split(targets, parts), strict=True)
        for index, some, true in pieces:
            if index != self.index or self.tally is None:
                self._close()
                self.index, self.tally = index, self.kind.tally()
            self.tally.add(some, true)

    def result(self) -> dict[str, float]:
        self._close()
        return {name: self.sums[name] / weight if weight else math.nan for name, weight in self.weights.items()}

    def _close(self) -> None:
        if self.tally is None:
            return
        size = self.batches.size
        weight = min(size, self.count - self.index * size) if self.batches.by_examples else 1
        for name, value in self.tally.score().items():
            if not math.isnan(value):
                self.sums[name] += weight * value
                self.weights[name] += weight
        self.tally = None
