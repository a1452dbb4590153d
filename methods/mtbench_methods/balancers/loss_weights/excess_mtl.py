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
    """ExcessMTL (He et al. 2024): tasks with larger estimated excess risk get larger weights.

    The excess risk of a task is estimated from its squared gradients, S_t their running sum over steps (Eqs. 6, 7)::

        r_t = sum(g_t^2 / sqrt(S_t)), divided by its first value that is not 0
        w_t <- w_t exp(step r_t) / sum_i w_i exp(step r_i)       (Eq. 9), initially 1/T

    Every parameter receives the gradient of sum_t w_t L_t.

    Chosen here: a task that is absent keeps its weight and its sums: the present tasks divide their total weight among
    themselves. The first step does not change the weights, as in the released code; TorchJD agrees with one step of
    warm-up, and without it uses r_t undivided there, which gives one task all the weight. Both add 1e-7 to S_t, which
    is more than many squares of short gradients, whose risks would then fall faster; here nothing is added. Weights are
    stored as logarithms, so that none stays 0 forever. With TorchJD's step size of 1 one task took all the weight on
    Multi-MNIST in each of three seeds; the default here is .01.

    Compared with: TorchJD's ExcessMTL with one step of warm-up, rtol=1e-4, atol=1e-5
    (balancers/loss_weights/test_excess_mtl.py::test_it_is_torchjds_with_one_step_of_warm_up_while_every_task_is_present).
    """

    Options = ExcessMtlOptions
    paper = "He et al., Robust Multi-Task Learning with Excess Risks, ICML 2024"
    title = "ExcessMTL"
    bibtex = """@inproceedings{he2024robust,
      title = {Robust Multi-Task Learning with Excess Risks},
      author = {He, Yifei and others},
      booktitle = {International Conference on Machine Learning (ICML)},
      year = {2024},
    }"""

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
        least = torch.finfo(sums.dtype).tiny  # where a sum is 0, so is its numerator
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
