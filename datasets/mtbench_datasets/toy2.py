"""The plane on which gradient balancers are shown: two losses of two numbers, with a valley that averages get stuck in.

Shapes: N examples, all the same; n of them in a batch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import Kind, Metric, Split, Tally, Task, TrainingProtocol, option

from .made import Made

__all__ = ["Objective", "Toy2", "front", "gap", "objective"]

FLOOR = 5e-6  # smallest argument of the logarithm
DEEPEST = 20.0  # no loss is lower than minus this, without the shift


@dataclass(frozen=True, kw_only=True)
class Toy2Options:
    shift: float = option(21.0, "added to both losses: 21 keeps them positive, 0 leaves them as in the papers", low=0)


@dataclass(frozen=True, kw_only=True)
class Objective(Kind):
    """One of the two losses of theta, which is the network's output; targets are idle.

    Metrics: ``objective``, the loss as in the papers, and ``gap``, see `gap`. Neither has the shift in it.
    Predictions are theta (B, 2), float32.

    Attributes:
        side: 1 for L1, -1 for L2, its mirror image.
        shift: a constant that is added to the loss.
    """

    side: int
    shift: float
    output_size: int = 2
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(name="objective", higher_is_better=False),
        Metric(name="gap", higher_is_better=False),
    )

    @property
    def has_negative_losses(self) -> bool:
        return self.shift < DEEPEST

    def defined(self, targets: Tensor) -> Tensor:
        return torch.ones_like(targets, dtype=torch.bool)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return objective(output, self.side) + self.shift

    def predict(self, output: Tensor) -> Tensor:
        return output

    def tally(self) -> Tally:
        return Heights(self.side)


class Heights(Tally):
    """The sums of both metrics and their count."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.objectives, self.gaps, self.count = 0.0, 0.0, 0

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        theta = predictions.double()
        self.objectives += float(objective(theta, self.side).sum())
        self.gaps += float(gap(theta).sum())
        self.count += len(targets)

    def score(self) -> dict[str, float]:
        count = self.count or math.nan
        return {"objective": self.objectives / count, "gap": self.gaps / count}


class Toy2(Made):
    """Two losses of two numbers, in whose valleys averaging gets stuck: the toy problem of CAGrad and Nash-MTL.

    With theta = (x, y), c = max(tanh(y / 2), 0) and d = max(tanh(-y / 2), 0)::

        L1 = c [log max(|(x + 7) / 2 - tanh y|, 5e-6) + 6]  +  d [((x - 7)^2 + (y + 8)^2 / 10) / 10 - 20]
        L2(x, y) = L1(-x, y)

    Above y = 0 each loss has a steep valley of its own; below, two bowls that share the Pareto front, x from -7 to 7
    near y = -8.4. Beside the floor of a valley the average of both gradients goes across it, back and forth, and hardly
    down: from the papers' starts (-8.5, 7.5) and (9, 9) it does not reach y = 0 within their steps.

    The input is idle and the network is the backbone `point`, whose output is theta; its option `start` gives the
    papers' starts. ``toy2:scale=.1/1`` is the problem of Nash-MTL and FAMO. An epoch is 500 steps on one example.

    Left open, and chosen:

    - The CAGrad paper writes -tanh(-y) in L2's valley; its released code, and those of Nash-MTL and FAMO, have
      +tanh(-y), which makes L2 the mirror image of L1. Every figure was made with the code, so it is what is here.
    - Losses go down to -20, where balancers that take their logarithm, root or ratio are undefined. FAMO's code
      subtracts the bound -21 for its own method; here `shift` adds 21 to both losses, for every method. No gradient
      changes, and the metrics are measured without it.
    - The papers take 100,000 (CAGrad), 35,000 (Nash-MTL) or 50,000 (FAMO) steps of Adam with learning rate 1e-3; the
      protocol here takes Nash-MTL's.
    """

    Options = Toy2Options
    protocols: ClassVar = {
        "paper": TrainingProtocol(name="paper", epochs=70, batch=1, lr=1e-3, schedule="constant", seeds=5),
        "quick": TrainingProtocol(name="quick", epochs=10, batch=1, lr=5e-3, schedule="constant", seeds=3),
    }
    name = "toy2"
    default_backbone = "point"
    input_shape = (1, 1, 1)
    paper = "Liu et al., CAGrad, NeurIPS 2021; Navon et al., Nash-MTL, ICML 2022"

    @property
    def tasks(self) -> tuple[Task, ...]:
        sides = {"L1": 1, "L2": -1}
        return tuple(
            Task(name=name, kind=Objective(side=side, shift=self.options.shift)) for name, side in sides.items()
        )

    def sizes(self, *, validation: bool) -> Mapping[str, int]:
        return {"train": 500, "test": 1} | ({"val": 1} if validation else {})

    def make(self, split: str, *, validation: bool) -> Split:
        count = self.sizes(validation=validation)[split]
        idle = torch.zeros(count)
        return Split(
            inputs=torch.zeros(count, *self.input_shape),
            targets=(idle, idle),
            defined=torch.ones(count, 2, dtype=torch.bool),
        )

    def fingerprint_files(self) -> tuple[()]:
        return ()

    def fingerprint(self) -> str:
        return "toy2-1"


def objective(theta: Tensor, side: int) -> Tensor:
    """L1 (n,) of theta (n, 2) for side 1, L2 for side -1.

    At y = 0 itself both factors c and d have their slope, as in the papers' code, so that a start there moves; `clamp`
    has it or not, depending on torch's version.
    """
    x, y = side * theta[:, 0], theta[:, 1]
    valley = ((x + 7) / 2 - y.tanh()).abs().clamp(min=FLOOR).log() + 6
    bowl = ((x - 7).square() + 0.1 * (y + 8).square()) / 10 - 20
    height = (y / 2).tanh()  # c - d
    return height * (y >= 0) * valley - height * (y <= 0) * bowl


def front(x: Tensor) -> Tensor:
    """y (n,) float64 of the Pareto front at x (n,) in [-7, 7].

    A weighted sum w L1 + (1 - w) L2 below y = 0 is d G with G = (49 - x^2) / 10 + (y + 8)^2 / 100 - 20 where it is
    stationary in x, at x = 7 (2 w - 1). In y it is so where (y + 8) / 50 = G / sinh(-y): one y for each x, which is
    found by going round that equation; each round leaves less than half of the error.
    """
    y = torch.full_like(x.double(), -8.4)
    for _ in range(60):
        y = -8 + 50 * ((49 - x.double().square()) / 10 + (y + 8).square() / 100 - 20) / (-y).sinh()
    return y


def gap(theta: Tensor) -> Tensor:
    """Return what both losses could still be lowered by at once: (n,) float64 from theta (n, 2); 0 on the front.

    That is max over the front's points p of min_t L_t(theta) - L_t(p), the additive epsilon indicator of one point
    (Zitzler et al. 2003). It lies where L1 - L2 = -2.8 p d(p) is as it is at theta, or at an end of the front.
    """
    losses = torch.stack([objective(theta.double(), side) for side in (1, -1)])  # (2, n)
    p = torch.zeros_like(losses[0])
    for _ in range(5):  # d is 1 within 2e-4 all along the front
        p = ((losses[1] - losses[0]) / (2.8 * (-front(p) / 2).tanh())).clamp(-7, 7)
    nearest = torch.stack([p, front(p)], dim=1)
    return torch.minimum(losses[0] - objective(nearest, 1), losses[1] - objective(nearest, -1))
