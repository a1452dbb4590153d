"""Dual balancing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Combined, GradientBalancer, Losses, Task, option

from ..memory import PerTask

__all__ = ["DbMtl"]

SMALL = 1e-8


@dataclass(frozen=True, kw_only=True)
class DbMtlOptions:
    beta: float = option(
        0.9, "how much of the past the smoothed gradients keep at first", low=0, high=1, search=(0.1, 0.9)
    )
    fade: bool = option(True, "whether beta is divided by the root of the number of steps, as in the paper")


class DbMtl(GradientBalancer):
    """DB-MTL (Lin et al. 2023): logarithms balance the losses, and smoothed gradients are scaled to one length.

    With g_t the gradient of log(L_t + 1e-8) in the shared parameters, in the k-th step that task t is present in::

        h_t <- b h_t + (1 - b) g_t,     b = beta / sqrt(k)
        d = max_i |h_i| sum_t h_t / |h_t|

    Chosen here: the fading beta is the paper's. LibMTL smooths by a constant b = beta, and so does ``fade=false``:
    after some dozens of steps the two give different directions. Task-specific parameters receive the gradient of the
    logarithm of their task's loss. The recorded weights are those of h_t, multiplied by the slope of the logarithm.

    Compared with: the recurrence written out again, rel=1e-4
    (balancers/equalization/test_db_mtl.py::test_it_follows_the_recurrence_as_the_network_moves_and_tasks_come_and_go);
    LibMTL's constant factor, by hand, rel=1e-5
    (balancers/equalization/test_db_mtl.py::test_with_a_constant_factor_as_in_libmtl_what_is_left_of_the_start_falls_by_it_each_step).
    """

    Options = DbMtlOptions
    needs_positive_losses = True
    paper = "Lin et al., Dual-Balancing for Multi-Task Learning, 2023"
    title = "DB-MTL"
    bibtex = """@misc{lin2023dual,
      title = {Dual-Balancing for Multi-Task Learning},
      author = {Lin, Baijiong and others},
      eprint = {2308.12029},
      archiveprefix = {arXiv},
      year = {2023},
    }"""

    def __init__(self, options: DbMtlOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros(len(tasks)))
        self.smoothed = PerTask(len(tasks))

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        return (losses.totals[indices] + SMALL).log()

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        self.steps[indices] += 1
        steps = self.steps[indices] if self.options.fade else torch.ones_like(self.steps[indices])
        past = (self.options.beta / steps.sqrt())[:, None]
        smoothed = past * self.smoothed.of(indices, gradients) + (1 - past) * gradients
        self.smoothed.put(indices, smoothed)
        # In double precision, since squares of short gradients are 0 in single precision.
        lengths = torch.linalg.vector_norm(smoothed, dim=1, keepdim=True, dtype=torch.float64).to(smoothed)
        limits = torch.finfo(smoothed.dtype)
        lengths = lengths.clamp(min=limits.tiny)
        weights = (lengths.max() / lengths).squeeze(1).clamp(max=limits.max)
        return Combined(shared=lengths.max() * (smoothed / lengths).sum(0), weights=weights)
