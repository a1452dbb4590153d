"""Gradient vaccine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Task, option

from ..gramian import ROUNDING, ByGramian, Geometry, Weighed

__all__ = ["GradVac"]


@dataclass(frozen=True, kw_only=True)
class GradVacOptions:
    beta: float = option(0.5, "how fast the targets follow the cosines", low=0, high=1, search=(0.01, 0.9))


class GradVac(ByGramian):
    """GradVac (Wang et al. 2021): gradients are turned toward each other until their cosines have their running means.

    With phi_ij the cosine of task i's present gradient h_i and g_j, and t_ij its target, for each task i and each other
    task j in random order, if phi_ij < t_ij (Eq. 5)::

        h_i <- h_i + |h_i| (t_ij sqrt(1 - phi_ij^2) - phi_ij sqrt(1 - t_ij^2)) / (|g_j| sqrt(1 - t_ij^2)) g_j
        t_ij <- (1 - beta) t_ij + beta phi_ij            in any case; initially 0

    The shared gradient is sum_i h_i; task-specific parameters receive the unweighted gradient of their task.

    Chosen here: there is one target for all shared parameters (`whole_model` of the paper). The targets of absent tasks
    do not change. Orders are drawn from torch's global generator.

    Compared with: TorchJD's GradVac, rtol=1e-4, atol=1e-4
    (balancers/gradient_surgery/test_gradvac.py::test_it_is_torchjds_step_by_step_while_every_task_is_present).
    """

    Options = GradVacOptions
    paper = "Wang et al., Gradient Vaccine, ICLR 2021"
    title = "GradVac"
    bibtex = """@inproceedings{wang2021gradient,
      title = {Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively Multilingual
        Models},
      author = {Wang, Zirui and Tsvetkov, Yulia and Firat, Orhan and Cao, Yuan},
      booktitle = {International Conference on Learning Representations (ICLR)},
      year = {2021},
    }"""

    def __init__(self, options: GradVacOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.targets: Tensor
        self.register_buffer("targets", torch.zeros(len(tasks), len(tasks), dtype=torch.float64))

    def weigh(self, geometry: Geometry) -> Weighed:
        cosines, lengths, indices = geometry.cosines, geometry.lengths, geometry.indices
        targets, beta = self.targets.cpu().numpy(), self.options.beta
        total = np.zeros_like(lengths)
        for i, task in enumerate(indices.tolist()):
            others = [j for j in range(len(lengths)) if j != i]
            made_of = np.zeros_like(lengths)  # h_i / |g_i| in unit gradients
            made_of[i] = 1
            products, square = cosines[i].copy(), 1.0  # with them, and with itself
            for j in (others[k] for k in torch.randperm(len(others)).tolist()):
                target = float(targets[task, indices[j]])
                length = max(square, 0) ** 0.5
                is_left = length > ROUNDING * np.abs(made_of).sum()
                cosine = float(np.clip(products[j] / length, -1, 1)) if is_left else 0.0
                goal = (1 - target**2) ** 0.5
                if is_left and cosine < target and goal > ROUNDING:
                    added = length * (target * (1 - cosine**2) ** 0.5 - cosine * goal) / goal
                    square += added * (2 * products[j] + added)
                    made_of[j] += added
                    products += added * cosines[j]
                targets[task, indices[j]] = (1 - beta) * target + beta * cosine
            total += lengths[i] * made_of
        self.targets.copy_(torch.from_numpy(targets))
        return Weighed(weights=total / lengths)

    def gain(self, count: int) -> float:
        return float(count)
