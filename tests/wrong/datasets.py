"""Datasets, and kinds of their tasks, that are wrong in one way each."""

import dataclasses
import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import Classification, Dataset, Kind, Metric, Regression, Split, Tally, Task
from mtbench_toys.datasets import AllTasks, Numbers, ToyOptions


class Broadcasts(Regression):
    """(n, 1) - (n,) is (n, n)."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square()


class HiddenBroadcast(Regression):
    """A mean of (n, n)."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean()


class Reduced(Regression):
    """The mean in the place of a loss for each example."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(1) - target).square().mean()


class Summed(Regression):
    """A sum for a mean."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.losses(output, target).sum()


class Misspelt(Regression):
    """A metric by another name."""

    metrics: ClassVar[tuple[Metric, ...]] = (*Regression.metrics[:2], Metric(name="r^2", in_delta=False))


class OwnOrder(Regression):
    """An order that is drawn from elsewhere."""

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        return torch.randperm(len(defined))


class MeanOfMeans(Regression):
    """A tally that is the mean of the means of batches."""

    def tally(self) -> Tally:
        return Means()


class Means(Tally):
    """The mean of the means of batches."""

    def __init__(self) -> None:
        self.means: list[float] = []

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.means.append(float((predictions - targets).square().mean()))

    def score(self) -> dict[str, float]:
        mean = sum(self.means) / len(self.means) if self.means else math.nan
        return {"mse": mean, "mae": math.nan, "r2": math.nan}


def of_kind(kind: Kind) -> Dataset:
    """Return a dataset whose tasks are of a kind."""

    class OfKind(Numbers):
        """Numbers of another kind."""

        @property
        def tasks(self) -> tuple[Task, ...]:
            return tuple(dataclasses.replace(task, kind=kind) for task in super().tasks)

    return OfKind(ToyOptions(), Path())


class FromOne(AllTasks):
    """Counts its four classes from 1."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        return super().split(images, tuple(target + 1 for target in targets), members)


class Narrow(AllTasks):
    """Classes in a dtype that no loss takes."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        return super().split(images, tuple(target.int() for target in targets), members)


class FewClasses(AllTasks):
    """Three classes for labels of four."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=task.name, kind=Classification(classes=3)) for task in super().tasks)


class Unseeded(AllTasks):
    """Draws its examples again."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        return super().split(images[torch.randperm(len(images))], targets, members)


class OnePerTask(AllTasks):
    """Marks as defined what it likes."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        split = super().split(images, targets, members)
        return dataclasses.replace(split, defined=split.defined[:, 0])


class Beyond(AllTasks):
    """Counts the inputs of its examples from 1."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:  # noqa: ARG002
        return super().split(images, targets, torch.arange(1, len(images) + 1)[:, None])
