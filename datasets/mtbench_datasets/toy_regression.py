"""Regressions of very different scales with a common structure: GradNorm's toy problem.

Shapes: N examples, T tasks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import Kind, Metric, Split, Tally, Task, TrainingProtocol, option, stream

from .made import Made

__all__ = ["ToyRegression", "VectorRegression"]

INPUTS, OUTPUTS = 250, 100
SHARED, OWN = 10.0, 3.5  # variances
TRAIN, HELD_OUT, TEST = 10_000, 2_000, 2_000
LARGEST = 100.0


@dataclass(frozen=True, kw_only=True)
class ToyRegressionOptions:
    count: int = option(10, "how many tasks, scaled from 1 to 100", low=2, high=50)


@dataclass(frozen=True, kw_only=True)
class VectorRegression(Kind):
    """A vector (output_size,) of numbers, NaN where undefined; the loss is the squared error, averaged over them.

    Reported as ``nrmse``, the root of the mean loss as a multiple of the task's scale, so that tasks compare.
    Predictions (B, output_size) are float32, and are not stored: they would be as large as the network's weights.
    """

    output_size: int
    scale: float
    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="nrmse", higher_is_better=False),)
    stored_up_to: ClassVar[int] = 0

    def defined(self, targets: Tensor) -> Tensor:
        return ~targets.isnan().any(1)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean(1)

    def predict(self, output: Tensor) -> Tensor:
        return output

    def tally(self) -> Tally:
        return NormalizedErrors(self)


class NormalizedErrors(Tally):
    """The sum of the squared errors and their count."""

    def __init__(self, kind: VectorRegression) -> None:
        self.kind = kind
        self.total, self.count = 0.0, 0

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.total += float(self.kind.losses(predictions, targets).double().sum())
        self.count += len(targets)

    def score(self) -> dict[str, float]:
        return {"nrmse": math.sqrt(self.total / self.count) / self.kind.scale if self.count else math.nan}


class ToyRegression(Made):
    """Ten regressions whose scales differ a hundredfold: the toy problem of GradNorm.

    ::

        f_i(x) = sigma_i tanh((B + E_i) x / s),    x in R^250,  f_i(x) in R^100,  i = 1 ... T

    B is common to the tasks and E_i a task's own, both constant, with independent entries of N(0, 10) and N(0, 3.5);
    tanh works entry by entry. The squared error of task i has the size of sigma_i^2: a sum of losses hears the
    large ones alone. A network that gives 0 has an nrmse of 0.63 on every task.

    Left open by the paper (Chen et al. 2018, section 4), and chosen:

    - 10 and 3.5 are variances, as N(mean, variance) is usually written.
    - x is standard normal, and s = sqrt(250 (10 + 3.5)) gives the argument of tanh variance 1. Without it tanh would
      get numbers of size 58, and the tasks would be signs.
    - sigma_i runs from 1 to 100, the two scales of the paper's pair of tasks, in equal ratios.
    - 10,000 training and 2,000 test examples; with validation the last 2,000 of the training examples are held out.
    - Number of steps, batch and learning rate.
    """

    Options = ToyRegressionOptions
    protocols: ClassVar = {
        "paper": TrainingProtocol(name="paper", epochs=100, batch=100, lr=1e-3, seeds=5),
        "quick": TrainingProtocol(name="quick", epochs=10, batch=100, lr=1e-3, seeds=3),
    }
    name = "toy-regression"
    default_backbone = "mlp"
    input_shape = (INPUTS, 1, 1)
    paper = "Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing, ICML 2018"

    @property
    def scales(self) -> tuple[float, ...]:
        """sigma_i of each task."""
        count = self.options.count
        return tuple(LARGEST ** (index / (count - 1)) for index in range(count))

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(name=f"f{number}", kind=VectorRegression(output_size=OUTPUTS, scale=scale))
            for number, scale in enumerate(self.scales, start=1)
        )

    def sizes(self, *, validation: bool) -> Mapping[str, int]:
        if validation:
            return {"train": TRAIN - HELD_OUT, "val": HELD_OUT, "test": TEST}
        return {"train": TRAIN, "test": TEST}

    def make(self, split: str, *, validation: bool) -> Split:
        if split == "test":
            x = normal(TEST, "x", "test")
        else:
            x = normal(TRAIN, "x", "train")
            if validation:
                x = x[-HELD_OUT:] if split == "val" else x[:-HELD_OUT]
        shared = normal(OUTPUTS, "B") * math.sqrt(SHARED)  # (100, 250)
        spread = math.sqrt(INPUTS * (SHARED + OWN))
        targets = []
        for number, scale in enumerate(self.scales, start=1):
            own = normal(OUTPUTS, "E", number) * math.sqrt(OWN)
            targets.append(scale * (x @ (shared + own).T / spread).tanh())
        return Split(
            inputs=x[:, :, None, None],
            targets=tuple(targets),
            defined=torch.ones(len(x), len(targets), dtype=torch.bool),
        )

    def fingerprint_files(self) -> tuple[()]:
        return ()

    def fingerprint(self) -> str:
        return f"toy-regression-1-{self.options.count}"


def normal(rows: int, *purpose: str | int) -> Tensor:
    """Return a standard normal matrix (rows, 250) from a stream of its own."""
    return torch.randn(rows, INPUTS, generator=stream(0, "toy-regression", *purpose))
