"""Gradients made equally long before they are added."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Combined, GradientBalancer, Task


class StrangerBalance(GradientBalancer):
    """Gradients of one length, that of their running mean, by a stranger.

    g = mean(m) sum_t g_t / |g_t|, where m_t is a running mean of |g_t|.
    """

    lengths: Tensor

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.register_buffer("lengths", torch.zeros(len(tasks)))

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        norms = gradients.norm(dim=1).clamp(min=1e-12)
        self.lengths[indices] = 0.9 * self.lengths[indices] + 0.1 * norms
        return Combined(shared=self.lengths[indices].mean() * (gradients / norms[:, None]).sum(0))
