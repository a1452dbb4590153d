"""A kind that does not ship, to show that the harness knows kinds by their interface alone."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract import Kind, Metric, Tally


@dataclass(frozen=True, kw_only=True)
class Triplet(Kind):
    """Anchor, positive, negative: V = 3 inputs an example; the target says whether the triplet is this task's.

    Each epoch visits the tasks in turn, so that every batch has as many triplets of one task as of another.
    Predictions (B, 3, D) are normalized embeddings in float16.
    """

    output_size: int = 8
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="triplets", unit="%"),)
    stored_as: ClassVar[torch.dtype] = torch.float16

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
        near, far = distances(nn.functional.normalize(output, dim=-1))
        return (near - far + 0.2).relu()

    def predict(self, output: Tensor) -> Tensor:
        return nn.functional.normalize(output, dim=-1).half()

    def tally(self) -> Tally:
        return Triplets()


class Triplets(Tally):
    """Triplets whose positive is nearer than their negative, and all triplets."""

    def __init__(self) -> None:
        self.right = self.count = 0

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        near, far = distances(predictions.double())
        self.right += int((near < far).sum())
        self.count += len(targets)

    def score(self) -> dict[str, float]:
        return {"triplets": 100 * self.right / self.count if self.count else math.nan}


def distances(embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared distances (n,) from anchor to positive and to negative, of embeddings (n, 3, D)."""
    anchor, positive, negative = embeddings.unbind(1)
    return (anchor - positive).square().sum(1), (anchor - negative).square().sum(1)
