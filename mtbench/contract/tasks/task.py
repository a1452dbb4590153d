"""Tasks: a name and a kind each, where the kind owns targets, loss, predictions and metrics.

Shapes: B examples in a batch, n of them with a defined target, T tasks, V inputs that make up one example (1 for an
image with labels, 3 for a triplet).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from mtbench.contract.data.motion import Motion
from mtbench.contract.tasks.metric import Metric

__all__ = ["Kind", "Layout", "Tally", "Task"]

Layout: TypeAlias = Literal["vector", "map"]
"""The two forms of an output: one vector per input (B, output_size), or a map (B, output_size, H, W)."""


class Tally(ABC):
    """An accumulator of one task's metrics over the batches of a split.

    It contains sums, counts, or whatever else the metrics need, so that a split in batches of any sizes has the same
    metrics as the split in one piece: never a mean of means. Sums are float64 or int64. A tally that stores something
    per example or per pixel, as a median needs, states the bound on its memory in its docstring.
    """

    @abstractmethod
    def add(self, predictions: Tensor, targets: Tensor) -> None:
        """Add a batch.

        Args:
            predictions: (n, ...) of `Kind.predict`.
            targets: (n, ...), all of them defined.
        """

    @abstractmethod
    def score(self) -> dict[str, float]:
        """Return all metrics of the kind by name; NaN where one is undefined, as all are if nothing was added."""


class Kind(ABC):
    """The form of a task's targets, its order of examples, its loss, its predictions and its metrics.

    The harness knows tasks by this interface alone. Metrics are computed from predictions in the form that is stored,
    after rounding, so that they can be computed again from a run's ``predictions.npz``. If a kind stores less than it
    predicts (see `stored`), its tally and `correct` accept either form, and a metric that needs values which are not
    stored is NaN when it is computed again.

    Attributes:
        metrics: the metrics; the first one is primary: tables show it and searches improve it.
        output_size: number of values that a network gives for the task, per input or per pixel.
        layout: form of the output, one vector per input or a map.
        stored_as: dtype of the stored predictions.
        stored_up_to: the largest size in bytes of a split's predictions for one task that is stored. The default is
            enough for the label maps of NYUv2's 654 test images (72 MB).
        constant_name: name of the `constant` prediction in tables; empty if the kind has none.
        one_task_per_example: True if each example belongs to one task alone, which has its only defined target.
        has_negative_losses: True if a loss can be negative, as the negative logarithm of a density can; then balancers
            that take logarithms, roots or ratios of losses are refused.
    """

    metrics: ClassVar[tuple[Metric, ...]]
    output_size: int
    layout: ClassVar[Layout] = "vector"
    stored_as: ClassVar[torch.dtype] = torch.float32
    stored_up_to: ClassVar[int] = 100_000_000
    constant_name: ClassVar[str] = ""
    one_task_per_example: ClassVar[bool] = False

    @property
    def has_negative_losses(self) -> bool:
        """Documented above; a class overrides it by a plain ``has_negative_losses = True``."""
        return False

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        """Return the order in which one epoch visits the examples; all tasks of a dataset must agree on it.

        Args:
            defined: (N, T) bool, the defined targets of each example.
            generator: the only source of randomness.

        Returns:
            int64 rows; by default a permutation of 0..N-1.
        """
        return torch.randperm(len(defined), generator=generator)

    @abstractmethod
    def defined(self, targets: Tensor) -> Tensor:
        """Return a mask (N,) bool of the defined targets among the targets (N, ...).

        A map counts as defined if any of its pixels is.
        """

    def wrong_targets(self, targets: Tensor) -> str:  # noqa: ARG002
        """Return the error in targets (n, ...), n >= 0, all marked as defined; empty if there is none, as by default.

        The text is the end of a sentence, such as ``have 3 numbers that are none of the 28 classes 0 to 27``.

        The targets are in the form that a split stores, perhaps in a narrow dtype, see `Split.targets`.
        """
        return ""

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:  # noqa: ARG002
        """Return the targets (n, ...) of examples whose images are moved, with a motion for each.

        By default they do not change, as for the class of an image. Pixels of a map that show a place outside the image
        are undefined.
        """
        return targets

    @abstractmethod
    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each example.

        Args:
            output: (n, output_size, ...), (n, V, output_size, ...) if V > 1.
            target: (n, ...), all of them defined.

        Returns:
            (n,); for maps the mean over the defined pixels of each example.
        """

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss () of the examples of one training batch; by default the mean of their `losses`.

        Args:
            output: see `losses`; n > 0.
            target: see `losses`.
        """
        return self.losses(output, target).mean()

    @abstractmethod
    def predict(self, output: Tensor) -> Tensor:
        """Return the predictions (B, ...) from the outputs (B, ...), (B, V, ...) if V > 1.

        Their dtype is `stored_as` unless only a part of them is stored.

        The prediction of an example must not depend on the other examples of the batch.
        """

    def stored(self, predictions: Tensor) -> Tensor:
        """Return the part of predictions (n, ...) that is stored, (n, ...) of dtype `stored_as`; by default all of it.

        A kind whose predictions are large, such as embeddings, stores the values that pages and intervals are made
        from.
        """
        return predictions

    def correct(self, predictions: Tensor, targets: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return a mask (n,) bool of the correct predictions; None if the kind has no correct and wrong ones.

        Args:
            predictions: see `Tally.add`.
            targets: see `Tally.add`.
        """
        return None

    def constant(self, targets: Tensor) -> Tensor:
        """Return the one prediction (...), of dtype `stored_as`, that is best for all targets by the primary metric.

        It uses no input.

        Args:
            targets: (n, ...), n > 0, all of them defined: the training targets.

        Raises:
            NotImplementedError: the kind has none; its `constant_name` is empty.
        """
        raise NotImplementedError

    @abstractmethod
    def tally(self) -> Tally:
        """Return an empty tally of the metrics."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A property to predict for an input, e.g. the digit at the top left.

    Attributes:
        scale: factor of its loss in training; losses in evaluation are unscaled.
        question: the question about an input, as a sentence for readers of pages; may be empty.
        answers: the names of the classes, in their order, for readers; empty if the numbers are the names.
        unit: the unit of its targets, e.g. ``m``, for readers; empty where they have none.
    """

    name: str
    kind: Kind
    scale: float = 1.0
    question: str = ""
    answers: tuple[str, ...] = ()
    unit: str = ""
