"""One distance per pixel."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract.data.motion import Motion
from mtbench.contract.tasks.kinds.likeness import Like, mean_over_pixels
from mtbench.contract.tasks.kinds.validity import wrong_numbers, wrong_shape
from mtbench.contract.tasks.metric import Metric
from mtbench.contract.tasks.task import Kind, Layout, Tally

__all__ = ["Depth"]


@dataclass(frozen=True, kw_only=True)
class Depth(Kind):
    """One positive number per pixel, such as a distance or a disparity; targets (N, H, W) are floats.

    A pixel is undefined where its target is not finite or not above 0. The loss of an example is the mean absolute
    error of its defined pixels.

    Metrics, over all defined pixels of the split in one pool; ``absolute-error`` is primary:

    - ``absolute-error``: mean of |p - t|, in the unit of the target.
    - ``relative-error``: mean of |p - t| / t, a fraction.

    Predictions are maps (B, H, W) of float16, rounded to 11 significant bits; above 65,504 they are infinite.

    With ``like="libmtl"``:

    - The loss of a training batch is the mean over its defined pixels; otherwise it is the mean over images of their
      means.
    - In an enlarged crop pixels are counted from its edges (`Motion.maps`), and a disparity is divided by the scale,
      like a depth.

    LibMTL counts any target that is not 0 as defined, including negative ones.

    Attributes:
        inverse: True if targets are larger for nearer objects, as disparities are: an augmentation that enlarges an
            image brings objects nearer.
        like: the code whose definitions are followed.
    """

    output_size: int = 1
    inverse: bool = False
    like: Like = ""
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="absolute-error", higher_is_better=False),
        Metric(name="relative-error", higher_is_better=False),
    )
    layout: ClassVar[Layout] = "map"
    stored_as: ClassVar[torch.dtype] = torch.float16

    def known(self, targets: Tensor) -> Tensor:
        """Return a mask of the defined pixels (N, H, W) bool."""
        return _known(targets)

    def defined(self, targets: Tensor) -> Tensor:
        return self.known(targets).flatten(1).any(1)

    def wrong_targets(self, targets: Tensor) -> str:
        return wrong_shape(targets, None, None) or wrong_numbers(targets)

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:
        theirs, enlarged = self.like == "libmtl", motion.enlarged[:, None, None]
        moved = motion.maps(targets, math.nan, from_edges=theirs)
        return moved * enlarged if self.inverse and not theirs else moved / enlarged

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        known = _known(target)
        errors = (output.squeeze(1) - target.where(known, 0)).abs().where(known, 0)
        return errors.flatten(1).sum(1) / known.flatten(1).sum(1)

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        losses = self.losses(output, target)
        return mean_over_pixels(losses, _known(target)) if self.like == "libmtl" else losses.mean()

    def predict(self, output: Tensor) -> Tensor:
        return output.squeeze(1).to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally()


class _Tally(Tally):
    """Three numbers, for any number of pixels."""

    def __init__(self) -> None:
        self.count = 0
        self.absolute = self.relative = 0.0

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        known = _known(targets)
        truth = targets[known].double()
        errors = (predictions[known].double() - truth).abs()
        self.count += len(truth)
        self.absolute += float(errors.sum())
        self.relative += float((errors / truth).sum())

    def score(self) -> dict[str, float]:
        count = self.count or math.nan
        return {"absolute-error": self.absolute / count, "relative-error": self.relative / count}


def _known(targets: Tensor) -> Tensor:
    return targets.isfinite() & (targets > 0)
