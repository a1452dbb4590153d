"""Embeddings in which images that are alike in one respect are near each other, learned from triplets.

Shapes: n triplets, D numbers of an embedding; each triplet is an anchor, a positive and a negative, in this order.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.tasks.kinds.candidates import CandidateLists
from mtbench.contract.tasks.kinds.validity import wrong_shape
from mtbench.contract.tasks.metric import Metric
from mtbench.contract.tasks.task import Kind, Tally

__all__ = ["Retrieval"]

EPSILON = 1e-6
"""The norm below which an embedding is not scaled up, so that no gradient becomes infinite at 0."""


@dataclass(frozen=True, kw_only=True)
class Retrieval(Kind):
    """An embedding per image; an example is a triplet of one task, V = 3 inputs.

    Targets (N, 3, 2) are int32, made by `targets`: for each of the three images its number in the split and its class
    for the task, such as 1 if it has the attribute and 0 if not. Rows of other tasks are undefined by `Split.defined`,
    which has exactly one task per row, so that one tensor serves all tasks.

    The loss of a triplet is max(0, d(a, p) - d(a, n) + margin), d the squared Euclidean distance of the embeddings,
    scaled to norm 1 (Zhao et al. 2018). At a = p the gradient of d(a, p) is 0.

    Metrics in %; ``triplet-accuracy`` is primary:

    - ``triplet-accuracy``: triplets whose positive is nearer than their negative; equal distances are wrong.
    - ``map``: mean average precision over candidate lists, by the rules of
      `mtbench.contract.tasks.kinds.candidates.CandidateLists`. It is not part of Δm.

    Predictions are embeddings (n, 3, D) in float32. Only the distances (n, 2) float32 of the anchor from positive and
    negative are stored, from which the accuracy can be computed again but not ``map``.

    Attributes:
        size: D, the number of dimensions of an embedding.
        margin: the margin of the loss.
        normalized: True if embeddings are scaled to norm 1. A network whose method says otherwise replaces the kinds of
            its own `tasks`.
        squared: True if d is squared in the loss.
    """

    size: int = 256
    margin: float = 0.2
    normalized: bool = True
    squared: bool = True
    one_task_per_example: ClassVar[bool] = True
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="triplet-accuracy", unit="%"),
        Metric(name="map", unit="%", in_delta=False),
    )

    @property
    def output_size(self) -> int:  # type: ignore[override]
        return self.size

    @staticmethod
    def targets(images: Tensor, classes: Tensor) -> Tensor:
        """Return targets (N, 3, 2) int32.

        Args:
            images: (N, 3) the numbers of the images, as in `Split.members`.
            classes: (N, 3) the class of each image for the task of its triplet; -1 if it is unknown.
        """
        return torch.stack([images, classes], dim=2).int()

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        """Return rows that visit the tasks in turn, each task's triplets in a random order.

        A batch whose size is a multiple of the number of tasks has equally many triplets of each; in any other batch
        the numbers differ by at most one. Every task gets as many visits as the task with the fewest triplets has; a
        task without any is left out.
        """
        per_task = []
        for column in defined.T:
            rows = column.nonzero().squeeze(1)
            if len(rows):
                per_task.append(rows[torch.randperm(len(rows), generator=generator)])
        count = min((len(rows) for rows in per_task), default=0)
        return torch.stack([rows[:count] for rows in per_task], dim=1).flatten() if count else torch.arange(0)

    def defined(self, targets: Tensor) -> Tensor:
        return targets[:, 0, 0] >= 0

    def wrong_targets(self, targets: Tensor) -> str:
        wrong = "" if targets.dtype == torch.int32 else f"are {targets.dtype}, and should be torch.int32"
        return wrong_shape(targets, 3, 2) or wrong

    def embed(self, output: Tensor) -> Tensor:
        """Return the embeddings (..., D) of outputs (..., D)."""
        return nn.functional.normalize(output, dim=-1, eps=EPSILON) if self.normalized else output

    def losses(self, output: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        near, far = _squares(self.embed(output)).unbind(1)
        if not self.squared:
            near, far = _root(near), _root(far)
        return (near - far + self.margin).relu()

    def predict(self, output: Tensor) -> Tensor:
        return self.embed(output).float()

    def stored(self, predictions: Tensor) -> Tensor:
        return _squares(predictions).sqrt()

    def correct(self, predictions: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        near, far = (predictions if predictions.dim() == 2 else self.stored(predictions)).unbind(1)
        return near < far

    def tally(self) -> Tally:
        return _Tally(self)


class _Tally(Tally):
    """Counts of triplets, and the embeddings of up to 1,000 images: 2 D bytes each."""

    def __init__(self, kind: Retrieval) -> None:
        self.kind = kind
        self.right = self.count = 0
        self.lists = CandidateLists()

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.right += int(self.kind.correct(predictions, targets).sum())
        self.count += len(targets)
        if predictions.dim() == 3:
            self.lists.add(predictions, *targets.unbind(2))

    def score(self) -> dict[str, float]:
        return {
            "triplet-accuracy": 100 * self.right / self.count if self.count else math.nan,
            "map": self.lists.score(),
        }


def _squares(embeddings: Tensor) -> Tensor:
    """Return the squared distances (n, 2) of the anchor from positive and negative, of embeddings (n, 3, D)."""
    anchor, others = embeddings[:, :1], embeddings[:, 1:]
    return (anchor - others).square().sum(2)


def _root(squares: Tensor) -> Tensor:
    """Return the square root, with gradient 0 at 0 where it would be infinite."""
    return torch.where(squares > 0, squares, 1).sqrt().where(squares > 0, 0)
