"""Kinds of tasks beside classification, to show that the harness knows kinds by their interface alone."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract import Kind, Metric


@dataclass(frozen=True, kw_only=True)
class Regression(Kind):
    """One number; NaN where undefined; squared error; reported as root mean squared error."""

    output_size: int = 1
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="rmse", higher_is_better=False),)

    def defined(self, targets: Tensor) -> Tensor:
        return ~targets.isnan()

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(1) - target).square()

    def tally(self, output: Tensor, target: Tensor) -> Tensor:
        return torch.stack([self.losses(output, target).sum(), target.new_tensor(len(target))]).double()

    def score(self, tally: Tensor) -> dict[str, float]:
        return {"rmse": float((tally[0] / tally[1]).sqrt())}


@dataclass(frozen=True, kw_only=True)
class Segmentation(Kind):
    """A class per pixel (N, H, W), -1 where undefined; reported as mean intersection over union, from a confusion."""

    output_size: int
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="miou", unit="%"),
        Metric(name="pixels", unit="%"),
    )

    def defined(self, targets: Tensor) -> Tensor:
        return (targets >= 0).flatten(1).any(1)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        pixels = nn.functional.cross_entropy(output, target, reduction="none", ignore_index=-1)
        return pixels.flatten(1).sum(1) / (target >= 0).flatten(1).sum(1)

    def tally(self, output: Tensor, target: Tensor) -> Tensor:
        known = target >= 0
        cells = target[known] * self.output_size + output.argmax(1)[known]
        return torch.bincount(cells, minlength=self.output_size**2).double()

    def score(self, tally: Tensor) -> dict[str, float]:
        confusion = tally.view(self.output_size, self.output_size)
        hits = confusion.diagonal()
        union = confusion.sum(0) + confusion.sum(1) - hits
        return {"miou": float(100 * (hits / union).mean()), "pixels": float(100 * hits.sum() / tally.sum())}


@dataclass(frozen=True, kw_only=True)
class Triplet(Kind):
    """Anchor, positive, negative: V = 3 inputs an example; the target says whether the triplet is this task's.

    Each epoch visits the tasks in turn, so that every batch has as many triplets of one task as of another.
    """

    output_size: int = 8
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="triplets", unit="%"),)

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        per_task = []
        for task in range(defined.shape[1]):
            rows = defined[:, task].nonzero().squeeze(1)
            per_task.append(rows[torch.randperm(len(rows), generator=generator)])
        count = min(len(rows) for rows in per_task)
        return torch.stack([rows[:count] for rows in per_task], dim=1).flatten()

    def defined(self, targets: Tensor) -> Tensor:
        return targets

    def losses(self, output: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        near, far = self.distances(output)
        return (near - far + 0.2).relu()

    def tally(self, output: Tensor, target: Tensor) -> Tensor:
        near, far = self.distances(output)
        return torch.stack([(near < far).sum(), torch.tensor(len(target))]).double()

    def score(self, tally: Tensor) -> dict[str, float]:
        return {"triplets": float(100 * tally[0] / tally[1])}

    @staticmethod
    def distances(output: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances (n,) from anchor to positive and to negative, of normalized embeddings (n, 3, D)."""
        anchor, positive, negative = nn.functional.normalize(output, dim=-1).unbind(1)
        return (anchor - positive).square().sum(1), (anchor - negative).square().sum(1)
