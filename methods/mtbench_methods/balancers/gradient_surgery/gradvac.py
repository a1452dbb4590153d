"""Gradient vaccine."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Task, option

from ..gramian import ByGramian

__all__ = ["GradVac"]

SMALL = 1e-8


@dataclass(frozen=True, kw_only=True)
class GradVacOptions:
    beta: float = option(0.5, "how fast the targets follow the cosines", low=0, high=1, search=(0.01, 0.9))


class GradVac(ByGramian):
    """GradVac (Wang et al. 2021): gradients are turned towards each other until their cosines are as they used to be.

    With phi_ij the cosine of task i's gradient h_i as it is by now and g_j, and t_ij its target, for each task i and
    each other task j in random order, where phi_ij < t_ij (Eq. 5)::

        h_i <- h_i + |h_i| (t_ij sqrt(1 - phi_ij^2) - phi_ij sqrt(1 - t_ij^2)) / (|g_j| sqrt(1 - t_ij^2)) g_j
        t_ij <- (1 - beta) t_ij + beta phi_ij            in any case; 0 at first

    The shared gradient is sum_i h_i; a task's own parameters receive its plain gradient. One target for the whole of
    the shared parameters (`whole_model` of the paper). The targets of tasks that are absent stay as they are. Orders
    are drawn from torch's global generator.
    """

    Options = GradVacOptions
    paper = "Wang et al., Gradient Vaccine, ICLR 2021"

    def __init__(self, options: GradVacOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.targets: Tensor
        self.register_buffer("targets", torch.zeros(len(tasks), len(tasks), dtype=torch.float64))

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:
        targets = self.targets.cpu()
        made_of = torch.eye(len(gramian), dtype=torch.float64)  # (P, P), h_i as weights of the gradients
        for i, task in enumerate(indices.tolist()):
            others = [j for j in range(len(gramian)) if j != i]
            for j in (others[k] for k in torch.randperm(len(others)).tolist()):
                other = int(indices[j])
                target = targets[task, other].clone()
                length = (made_of[i] @ gramian @ made_of[i]).clamp(min=0).sqrt()
                width = gramian[j, j].clamp(min=0).sqrt()
                cosine = (made_of[i] @ gramian[j]) / (length * width + SMALL)
                if cosine < target:
                    sine, goal = ((1 - value.square()).clamp(min=0).sqrt() for value in (cosine, target))
                    made_of[i, j] += length * (target * sine - cosine * goal) / (width * goal + SMALL)
                targets[task, other] = (1 - self.options.beta) * target + self.options.beta * cosine
        self.targets.copy_(targets)
        return made_of.sum(0)

    def gain(self, count: int) -> float:
        return float(count)
