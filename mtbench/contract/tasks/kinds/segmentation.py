"""One class per pixel."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.data.motion import Motion
from mtbench.contract.tasks.kinds.counts import ClassCounts, dtype_of_classes, percent
from mtbench.contract.tasks.kinds.likeness import Like, mean_over_pixels
from mtbench.contract.tasks.kinds.validity import wrong_classes, wrong_shape
from mtbench.contract.tasks.metric import Metric
from mtbench.contract.tasks.task import Kind, Layout, Tally

__all__ = ["Segmentation"]


@dataclass(frozen=True, kw_only=True)
class Segmentation(Kind):
    """One of `classes` per pixel; targets (N, H, W) are int64; pixels with the label `ignore` are undefined.

    The loss of an example is the mean cross-entropy in nats of its defined pixels.

    Metrics in %, over all defined pixels of the split in one pool; ``miou`` is primary:

    - ``miou``: mean over the classes that occur in the truth of the intersection over union, which is correct / (true +
      predicted - correct). A class that is absent from the truth is left out of the mean and counted neither as 0 nor
      as 1; a pixel that is predicted as such a class is a missed pixel of its true class, and lowers the value of that
      one.
    - ``pixel-accuracy``: defined pixels with the correct class.

    Other definitions give other numbers: torchmetrics' ``JaccardIndex(average="macro")`` counts 0 for a class that is
    predicted and absent from the truth, and its ``segmentation.MeanIoU`` is a mean over images of means over classes.

    Predictions are maps (B, H, W) of classes: uint8 up to 256 classes.

    With ``like="libmtl"``:

    - The loss of a training batch is the mean over its defined pixels; otherwise it is the mean over images of their
      means.
    - ``miou`` is the mean over all classes: a class that is predicted and absent from the truth counts 0, and if one is
      in neither, the value is NaN.
    - In an enlarged crop pixels are counted from its edges (`Motion.maps`).

    Attributes:
        ignore: label of undefined pixels.
        like: the code whose definitions are followed.
    """

    classes: int
    ignore: int = -1
    like: Like = ""
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="miou", unit="%"), Metric(name="pixel-accuracy", unit="%"))
    layout: ClassVar[Layout] = "map"

    @property
    def output_size(self) -> int:  # type: ignore[override]
        return self.classes

    @property
    def stored_as(self) -> torch.dtype:  # type: ignore[override]
        return dtype_of_classes(self.classes)

    def known(self, targets: Tensor) -> Tensor:
        """Return a mask of the defined pixels (N, H, W) bool."""
        return targets != self.ignore

    def defined(self, targets: Tensor) -> Tensor:
        return self.known(targets).flatten(1).any(1)

    def wrong_targets(self, targets: Tensor) -> str:
        return wrong_shape(targets, None, None) or wrong_classes(targets, self.classes, ignore=self.ignore)

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:
        return motion.maps(targets, self.ignore, from_edges=self.like == "libmtl")

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        pixels = nn.functional.cross_entropy(output, target, reduction="none", ignore_index=self.ignore)
        return pixels.flatten(1).sum(1) / (target != self.ignore).flatten(1).sum(1)

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        losses = self.losses(output, target)
        return mean_over_pixels(losses, target != self.ignore) if self.like == "libmtl" else losses.mean()

    def predict(self, output: Tensor) -> Tensor:
        return output.argmax(1).to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally(self.classes, self.ignore, every_class=self.like == "libmtl")


class _Tally(Tally):
    """Counts per class over pixels: 24 bytes per class for any number of pixels."""

    def __init__(self, classes: int, ignore: int, *, every_class: bool) -> None:
        self.counts = ClassCounts(classes)
        self.ignore, self.every_class = ignore, every_class

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        known = targets != self.ignore
        self.counts.add(predictions[known], targets[known])

    def score(self) -> dict[str, float]:
        unions = self.counts.all_unions() if self.every_class else self.counts.unions()
        return {"miou": percent(unions), "pixel-accuracy": self.counts.accuracy()}
