"""Counts per class, from which accuracy, recall, F1 and intersection over union are computed."""

import math

import torch
from torch import Tensor

__all__ = ["ClassCounts", "dtype_of_classes", "percent"]


class ClassCounts:
    """Correct predictions, true examples and predicted examples per class; 24 bytes per class.

    They are counted on the device of the predictions, and copied from it when they are read.
    """

    def __init__(self, classes: int) -> None:
        self._counts = torch.zeros(3, classes, dtype=torch.int64)

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        """Add predicted and true classes (n,) of any integer dtype."""
        self._counts = self._counts.to(targets.device)
        predictions, targets = predictions.long(), targets.long()
        right, true, predicted = self._counts.unbind()
        right.index_add_(0, targets, (predictions == targets).long())
        ones = torch.ones_like(targets)
        true.index_add_(0, targets, ones)
        predicted.index_add_(0, predictions, ones)

    @property
    def right(self) -> Tensor:
        """(C,) int64, examples of the class that are predicted as such."""
        return self._counts[0].cpu()

    @property
    def true(self) -> Tensor:
        """(C,) int64, examples of the class."""
        return self._counts[1].cpu()

    @property
    def predicted(self) -> Tensor:
        """(C,) int64, examples that are predicted as the class."""
        return self._counts[2].cpu()

    def accuracy(self, *, without: int | None = None) -> float:
        """Return the correct predictions in %, without the examples of one class if given; NaN if nothing is left."""
        right, true = int(self.right.sum()), int(self.true.sum())
        if without is not None:
            right, true = right - int(self.right[without]), true - int(self.true[without])
        return 100 * right / true if true else math.nan

    def recalls(self) -> Tensor:
        """Return correct / true of each class that occurs in the truth, float64."""
        known = self.true > 0
        return self.right[known].double() / self.true[known]

    def f1(self) -> Tensor:
        """Return 2 correct / (true + predicted) of each class that occurs in the truth, float64."""
        known = self.true > 0
        return 2 * self.right[known].double() / (self.true + self.predicted)[known]

    def unions(self) -> Tensor:
        """Return the intersection over union, correct / (true + predicted - correct), of each class in the truth."""
        known = self.true > 0
        return self.all_unions()[known]

    def all_unions(self) -> Tensor:
        """Return the intersection over union of every class: 0 if it is only predicted, NaN if it does not occur."""
        return self.right.double() / (self.true + self.predicted - self.right)


def percent(ratios: Tensor) -> float:
    """Return the mean of some ratios in %; NaN if there are none."""
    return 100 * float(ratios.mean())


def dtype_of_classes(classes: int) -> torch.dtype:
    """Return the smallest dtype that holds the indices of this number of classes."""
    if classes <= 2**8:
        return torch.uint8
    return torch.uint16 if classes <= 2**16 else torch.int32
