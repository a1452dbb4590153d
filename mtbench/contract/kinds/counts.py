"""Counts per class, from which accuracy, recall, F1 and intersection over union follow."""

import math

import torch
from torch import Tensor

__all__ = ["ClassCounts", "dtype_of_classes", "percent"]


class ClassCounts:
    """Per class the right answers, the true examples and the predicted ones; 24 bytes a class.

    Attributes:
        right: (C,) int64, examples of the class that are predicted as such.
        true: (C,) int64, examples of the class.
        predicted: (C,) int64, examples that are predicted as the class.
    """

    def __init__(self, classes: int) -> None:
        self.right, self.true, self.predicted = torch.zeros(3, classes, dtype=torch.int64).unbind()

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        """Add predicted and true classes (n,) of any integer dtype."""
        predictions, targets = predictions.long(), targets.long()
        for counts, classes in (
            (self.right, targets[predictions == targets]),
            (self.true, targets),
            (self.predicted, predictions),
        ):
            counts += torch.bincount(classes, minlength=len(counts)).cpu()

    def accuracy(self, *, without: int | None = None) -> float:
        """Return the right answers in %, without the examples of one class if asked for; NaN where nothing is left."""
        right, true = int(self.right.sum()), int(self.true.sum())
        if without is not None:
            right, true = right - int(self.right[without]), true - int(self.true[without])
        return 100 * right / true if true else math.nan

    def recalls(self) -> Tensor:
        """Return right / true of each class that occurs in the truth, float64."""
        known = self.true > 0
        return self.right[known].double() / self.true[known]

    def f1(self) -> Tensor:
        """Return 2 right / (true + predicted) of each class that occurs in the truth, float64."""
        known = self.true > 0
        return 2 * self.right[known].double() / (self.true + self.predicted)[known]

    def unions(self) -> Tensor:
        """Return right / (true + predicted - right), the intersection over union, likewise."""
        known = self.true > 0
        return self.all_unions()[known]

    def all_unions(self) -> Tensor:
        """Return the intersection over union of every class: 0 of one that is predicted and absent from the truth, NaN
        of one that is in neither."""
        return self.right.double() / (self.true + self.predicted - self.right)


def percent(ratios: Tensor) -> float:
    """Return the mean of some ratios in %; NaN of none."""
    return 100 * float(ratios.mean())


def dtype_of_classes(classes: int) -> torch.dtype:
    """Return the smallest dtype that holds the indices of so many classes."""
    if classes <= 2**8:
        return torch.uint8
    return torch.uint16 if classes <= 2**16 else torch.int32
