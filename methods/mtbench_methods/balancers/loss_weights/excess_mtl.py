"""Robust multi-task learning with excess risks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Combined, GradientBalancer, Task, option

from ..memory import PerTask

__all__ = ["ExcessMtl"]


@dataclass(frozen=True, kw_only=True)
class ExcessMtlOptions:
    step: float = option(0.01, "step size of the weights", low=0, search=(1e-3, 1e-1, "log"))


class ExcessMtl(GradientBalancer):
    """ExcessMTL (He et al. 2024): tasks that could still gain most weigh more.

    The excess risk of a task is estimated from its squared gradients, S_t their running sum over steps (Eqs. 6, 7)::

        r_t = sum(g_t^2 / sqrt(S_t)), divided by what it was at first, where not 0
        w_t <- w_t exp(step r_t) / sum_i w_i exp(step r_i)       (Eq. 9), 1/T at first

    sum_t w_t L_t is what every parameter receives. A task that is absent keeps its weight and its sums: the present
    ones share what weight they have among themselves. The very first step leaves the weights as they are, as in the
    released code; TorchJD agrees with one step of warm-up, and without takes r_t undivided there, which gives one task
    all the weight. Both add 1e-7 to S_t, more than many squares of short gradients are, whose risks would fall faster
    for it; here nothing is added. Weights are kept as logarithms, so that none becomes 0 for good. With TorchJD's step
    size of 1 one task took all the weight on Multi-MNIST in each of three seeds; .01 is taken.
    """

    Options = ExcessMtlOptions
    paper = "He et al., Robust Multi-Task Learning with Excess Risks, ICML 2024"

    def __init__(self, options: ExcessMtlOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logarithms: Tensor
        self.first: Tensor
        self.register_buffer("logarithms", torch.full((len(tasks),), -math.log(len(tasks))))
        self.register_buffer("first", torch.full((len(tasks),), torch.nan))
        self.squares = PerTask(len(tasks))

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        squares = gradients.square()
        sums = self.squares.of(indices, gradients) + squares
        self.squares.put(indices, sums)
        least = torch.finfo(sums.dtype).tiny  # where a sum is 0, so is what it divides
        risks = (squares / sums.clamp(min=least).sqrt()).sum(1)  # (P,)
        first = self.first[indices]
        self.first[indices] = first.where(first > 0, risks)
        risks = risks / self.first[indices].clamp(min=least)
        before = self.logarithms[indices]
        after = (before + self.options.step * risks).log_softmax(0)
        self.logarithms[indices] = before.logsumexp(0) + after
        weights = after.exp()
        return Combined(shared=weights @ gradients, own=weights, weights=weights)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0
