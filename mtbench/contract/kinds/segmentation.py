"""One class per pixel."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.kinds.counts import ClassCounts, dtype_of_classes, percent
from mtbench.contract.motion import Motion
from mtbench.contract.task import Kind, Layout, Metric, Tally

__all__ = ["Segmentation"]


@dataclass(frozen=True, kw_only=True)
class Segmentation(Kind):
    """One of `classes` per pixel; targets (N, H, W) are int64; pixels with the label `ignore` are undefined.

    The loss of an example is the mean cross-entropy in nats of its defined pixels.

    Metrics in %, over all defined pixels of the split in one pool; ``miou`` is primary:

    - ``miou``: mean over the classes that occur in the truth of the intersection over union, which is
      right / (true + predicted - right). A class that is absent from the truth is left out of the mean, counted neither
      as 0 nor as 1; a pixel that is taken for it is a missed pixel of its true class, and lowers the value of that one.
    - ``pixel-accuracy``: defined pixels with the right class.

    Other definitions give other numbers: torchmetrics' ``JaccardIndex(average="macro")`` counts 0 for a class that is
    predicted and absent from the truth, and its ``segmentation.MeanIoU`` is a mean over images of means over classes.

    Predictions are maps (B, H, W) of classes: uint8 up to 256 classes.

    Attributes:
        ignore: label of undefined pixels.
    """

    classes: int
    ignore: int = -1
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="miou", unit="%"), Metric(name="pixel-accuracy", unit="%"))
    layout: ClassVar[Layout] = "map"

    @property
    def output_size(self) -> int:  # type: ignore[override]
        return self.classes

    @property
    def stored_as(self) -> torch.dtype:  # type: ignore[override]
        return dtype_of_classes(self.classes)

    def defined(self, targets: Tensor) -> Tensor:
        return (targets != self.ignore).flatten(1).any(1)

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:
        return motion.maps(targets, self.ignore)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        pixels = nn.functional.cross_entropy(output, target, reduction="none", ignore_index=self.ignore)
        return pixels.flatten(1).sum(1) / (target != self.ignore).flatten(1).sum(1)

    def predict(self, output: Tensor) -> Tensor:
        return output.argmax(1).to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally(self.classes, self.ignore)


class _Tally(Tally):
    """Counts per class over pixels: 24 bytes a class, whatever the number of pixels."""

    def __init__(self, classes: int, ignore: int) -> None:
        self.counts = ClassCounts(classes)
        self.ignore = ignore

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        known = targets != self.ignore
        self.counts.add(predictions[known], targets[known])

    def score(self) -> dict[str, float]:
        return {"miou": percent(self.counts.unions()), "pixel-accuracy": self.counts.accuracy()}
