"""One direction per pixel."""

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

__all__ = ["Normals", "angles_between"]

WITHIN = (11.25, 22.5, 30.0)
"""Limits in degrees of the metrics ``within-*``, standard since Fouhey et al., ICCV 2013."""
SHORTEST = 1e-6
"""Smallest length that an output is divided by."""
STEPS = 4096
"""Steps per degree to which angles are rounded for their median."""


@dataclass(frozen=True, kw_only=True)
class Normals(Kind):
    """The direction of the surface at each pixel; targets (N, 3, H, W) are floats x, y, z of any length above 0.

    The x axis is along the rows of pixels.

    A pixel is undefined where its target has the length 0 or is not finite. The loss of an example is the mean of
    1 - cosine between output and target over its defined pixels.

    Metrics, over the angles between prediction and target at all defined pixels of the split in one pool;
    ``mean-angle`` is primary:

    - ``mean-angle``, ``median-angle``: in degrees; the median of an even number is the mean of the middle two, each
      within .00013 degrees.
    - ``within-11.25``, ``within-22.5``, ``within-30``: pixels in % with an angle below this limit in degrees.

    Angles are atan2(|p x t|, p . t) in float64, which is exact for small ones, whereas acos of a cosine in float32 is
    off by up to .03 degrees. A prediction of length 0 has no direction and counts as 90 degrees off. A prediction that
    is not finite makes the mean NaN and counts as the largest angle in the median.

    Predictions are maps (B, 3, H, W) of unit vectors in float16: rounding turns them by up to about .03 degrees.

    With ``like="libmtl"``:

    - A pixel is undefined where the three components of its target add up to 0, as those of (1, -1, 0) / sqrt(2) do: a
      defined normal is dropped, in loss and metrics. In float16 rounding drops one in 20,000 random directions, in
      float32 almost none.
    - The loss of a training batch is the mean over its defined pixels; otherwise it is the mean over images of their
      means.
    - Targets are not scaled to length one in the loss, so that 1 - cosine is 1 - length x cosine.
    - In an enlarged crop normals are blended bilinearly, undefined ones as (0, 0, 0), which shortens them.

    LibMTL's angles are arc cosines in float32, and an output of length 0 makes its loss and its metrics NaN; here
    angles are exact, and such an output counts as above.

    Attributes:
        like: the code whose definitions are followed.
    """

    output_size: int = 3
    like: Like = ""
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="mean-angle", unit="°", higher_is_better=False),
        Metric(name="median-angle", unit="°", higher_is_better=False),
        *(Metric(name=f"within-{limit:g}", unit="%") for limit in WITHIN),
    )
    layout: ClassVar[Layout] = "map"
    stored_as: ClassVar[torch.dtype] = torch.float16

    def known(self, targets: Tensor) -> Tensor:
        """Return a mask of the defined pixels (N, H, W) bool."""
        return _known(targets, self.like)

    def defined(self, targets: Tensor) -> Tensor:
        return self.known(targets).flatten(1).any(1)

    def wrong_targets(self, targets: Tensor) -> str:
        return wrong_shape(targets, 3, None, None) or wrong_numbers(targets)

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:
        if self.like == "libmtl":
            moved = motion.images(targets, targets.new_zeros(1, 3, 1, 1))
        else:
            moved = motion.maps(targets, math.nan)
        x, y, z = moved.unbind(1)
        return torch.stack([torch.where(motion.mirrored[:, None, None], -x, x), y, z], dim=1)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        known = _known(target, self.like)
        truth = target.where(known[:, None], 0)
        cosines = _products(output, truth) * _inverse_lengths(output)
        if self.like != "libmtl":
            cosines = cosines * _inverse_lengths(truth, 1e-12)
            cosines = cosines.clamp(max=1)  # rounding is 1e-7 beyond, and balancers take logarithms of losses
        return (1 - cosines).where(known, 0).flatten(1).sum(1) / known.flatten(1).sum(1)

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        losses = self.losses(output, target)
        return mean_over_pixels(losses, _known(target, self.like)) if self.like == "libmtl" else losses.mean()

    def predict(self, output: Tensor) -> Tensor:
        return (output * _inverse_lengths(output)[:, None]).to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally(self.like)


class _Tally(Tally):
    """Sums, and for the median the numbers of angles at each step: memory does not grow with the number of pixels."""

    def __init__(self, like: Like) -> None:
        self.like = like
        self.total = 0.0
        self.within = [0] * len(WITHIN)
        self.at_steps = torch.zeros(180 * STEPS + 1, dtype=torch.int64)

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        known = _known(targets, self.like)
        angles = angles_between(*(values.movedim(1, -1)[known].double() for values in (predictions, targets)))
        self.total += float(angles.sum())
        self.within = [count + int((angles < limit).sum()) for count, limit in zip(self.within, WITHIN, strict=True)]
        steps = (angles.nan_to_num(nan=180.0) * STEPS).round().long()
        self.at_steps += torch.bincount(steps, minlength=len(self.at_steps)).cpu()

    def score(self) -> dict[str, float]:
        count = int(self.at_steps.sum()) or math.nan
        fractions = zip(WITHIN, self.within, strict=True)
        return {
            "mean-angle": self.total / count,
            "median-angle": _median(self.at_steps),
            **{f"within-{limit:g}": 100 * below / count for limit, below in fractions},
        }


def _known(targets: Tensor, like: Like) -> Tensor:
    """Return a mask (N, H, W) of the defined pixels."""
    known = targets.isfinite().all(1)
    return known & ((targets.float().sum(1) != 0) if like == "libmtl" else (targets != 0).any(1))


def _products(first: Tensor, second: Tensor) -> Tensor:
    """Return the scalar products (N, H, W) of vectors (N, 3, H, W).

    Component by component: torch takes four times as long to sum three neighbors in memory, and six times to normalize.
    """
    (a, b, c), (x, y, z) = first.unbind(1), second.unbind(1)
    return torch.addcmul(torch.addcmul(a * x, b, y), c, z)


def _inverse_lengths(vectors: Tensor, shortest: float = SHORTEST) -> Tensor:
    """Return 1 / max(length, shortest) (N, H, W) of vectors (N, 3, H, W)."""
    return _products(vectors, vectors).clamp(min=shortest**2).rsqrt()


def angles_between(first: Tensor, second: Tensor) -> Tensor:
    """Return the angles (n,) in degrees between vectors (n, 3); 90 if one has the length 0."""
    sines = torch.linalg.cross(first, second).norm(dim=1)
    angles = torch.atan2(sines, (first * second).sum(1)).rad2deg()
    return angles.where((first != 0).any(1), 90.0)


def _median(at_steps: Tensor) -> float:
    """Return the median in degrees of angles counted at each step; NaN if there are none."""
    up_to = at_steps.cumsum(0)
    count = int(up_to[-1])
    if not count:
        return math.nan
    middle = torch.tensor([(count - 1) // 2, count // 2])
    return float(torch.searchsorted(up_to, middle, right=True).double().mean()) / STEPS
