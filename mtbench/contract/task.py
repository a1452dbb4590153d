"""What is learned: a task is a name and a kind, and the kind owns targets, loss and metrics.

Shapes: B examples in a batch, n of them with a defined target, T tasks, V inputs ("views") that make up one example
(1 for an image with labels, 3 for a triplet).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

__all__ = ["Classification", "Kind", "Metric", "Task"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that says how well a task is done.

    Attributes:
        name: e.g. ``accuracy``.
        unit: e.g. ``%``; empty for a plain number.
        higher_is_better: its direction.
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True


class Kind(ABC):
    """What a target looks like, how it is drawn, what is lost by an output, and how outputs are measured.

    The harness knows tasks by this interface alone.

    Attributes:
        metrics: what is reported; the first one is what tables show.
        output_size: how many values a network gives for it, per image or per pixel.
    """

    metrics: ClassVar[tuple[Metric, ...]]
    output_size: int

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        """The order in which one epoch visits the examples; all tasks of a dataset must agree on it.

        Args:
            defined: (N, T) bool, which targets of which example are defined.
            generator: the only source of randomness.

        Returns:
            int64 rows; by default a permutation of 0..N-1.
        """
        return torch.randperm(len(defined), generator=generator)

    @abstractmethod
    def defined(self, targets: Tensor) -> Tensor:
        """Which of the targets (N, ...) are defined: (N,) bool."""

    @abstractmethod
    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of each example: (n,) from outputs (n, ...), (n, V, ...) if V > 1, and defined targets (n, ...)."""

    @abstractmethod
    def tally(self, output: Tensor, target: Tensor) -> Tensor:
        """Sums over a batch from which `score` computes the metrics: a float64 vector; those of batches are added."""

    @abstractmethod
    def score(self, tally: Tensor) -> dict[str, float]:
        """The metrics by name, from the tally of a whole split; NaN where nothing was defined."""

    def predictions(self, output: Tensor) -> Tensor | None:  # noqa: ARG002
        """What is stored of the outputs (B, ...) for later comparisons, as uint8 (B,); None if nothing is."""
        return None


@dataclass(frozen=True, kw_only=True)
class Classification(Kind):
    """One of `classes`; targets are int64, -1 where undefined; the loss is cross-entropy in nats."""

    classes: int
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="accuracy", unit="%"),)

    @property
    def output_size(self) -> int:  # type: ignore[override]
        return self.classes

    def defined(self, targets: Tensor) -> Tensor:
        return targets >= 0

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(output, target, reduction="none")

    def tally(self, output: Tensor, target: Tensor) -> Tensor:
        correct = (output.argmax(1) == target).sum()
        return torch.stack([correct, correct.new_tensor(len(target))]).double()

    def score(self, tally: Tensor) -> dict[str, float]:
        correct, count = tally.tolist()
        return {"accuracy": 100 * correct / count if count else float("nan")}

    def predictions(self, output: Tensor) -> Tensor | None:
        return output.argmax(1).to(torch.uint8) if self.classes <= 256 else None


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to learn about an input, e.g. the digit at the top left.

    Attributes:
        scale: what its loss is multiplied by in training; losses in evaluation are not.
    """

    name: str
    kind: Kind
    scale: float = 1.0
