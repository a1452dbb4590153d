"""One number per example."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract.tasks.kinds.validity import wrong_numbers, wrong_shape
from mtbench.contract.tasks.metric import Metric
from mtbench.contract.tasks.task import Kind, Tally

__all__ = ["Regression"]


@dataclass(frozen=True, kw_only=True)
class Regression(Kind):
    """One number per example; targets (N,) are floats, NaN where undefined; the loss is the squared error.

    Metrics, over the defined targets of the whole split; ``mse`` is primary:

    - ``mse``: mean squared error, in the squared unit of the target.
    - ``mae``: mean absolute error, in the unit of the target.
    - ``r2``: 1 - sum of squared errors / sum of squared deviations of the truth from its mean over the split, as
      scikit-learn's ``r2_score``; undefined (NaN) if the truth is constant, where scikit-learn gives 0 or 1. It is not
      part of Δm, since it may be 0 or negative.

    The constant prediction is the mean.

    Predictions (B,) are float32.
    """

    output_size: int = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="mse", higher_is_better=False),
        Metric(name="mae", higher_is_better=False),
        Metric(name="r2", in_delta=False),
    )
    constant_name: ClassVar[str] = "mean"

    def defined(self, targets: Tensor) -> Tensor:
        return ~targets.isnan()

    def wrong_targets(self, targets: Tensor) -> str:
        infinite = int(targets.isinf().sum())
        return (
            wrong_shape(targets) or wrong_numbers(targets) or (f"have {infinite} infinite numbers" if infinite else "")
        )

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(1) - target).square()

    def predict(self, output: Tensor) -> Tensor:
        return output.squeeze(1).to(self.stored_as)

    def constant(self, targets: Tensor) -> Tensor:
        return targets.double().mean().to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally()


class _Tally(Tally):
    """A dozen numbers, for any number of examples.

    Deviations of the truth are summed about the mean so far, and updated to the new mean with each batch (Chan, Golub &
    LeVeque 1983): sums of squares about 0 would lose digits where the mean is large.
    """

    def __init__(self) -> None:
        self.count = 0
        self.squared = self.absolute = self.mean = self.deviations = 0.0
        self.least, self.greatest = math.inf, -math.inf

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        truth = targets.double()
        errors = predictions.double() - truth
        self.squared += float(errors.square().sum())
        self.absolute += float(errors.abs().sum())
        added, mean = len(truth), float(truth.mean())
        count, shift = self.count + added, mean - self.mean
        self.deviations += float((truth - mean).square().sum()) + shift**2 * self.count * added / count
        self.mean += shift * added / count
        self.count = count
        least, greatest = torch.aminmax(truth)
        self.least, self.greatest = min(self.least, float(least)), max(self.greatest, float(greatest))

    def score(self) -> dict[str, float]:
        if not self.count:
            return dict.fromkeys(("mse", "mae", "r2"), math.nan)
        varies = self.least < self.greatest
        return {
            "mse": self.squared / self.count,
            "mae": self.absolute / self.count,
            "r2": 1 - self.squared / self.deviations if varies else math.nan,
        }
