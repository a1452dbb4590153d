"""Conflict-free gradients."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Task

from ..gramian import ByGramian, weights_of

__all__ = ["ConFIG"]


class ConFIG(ByGramian):
    """ConFIG (Liu et al. 2025): the direction that has the same angle to every gradient.

    With u_t = g_t / |g_t| and U (P, n) their rows, d = pinv(U) 1 and the update is (sum_t <g_t, d / |d|>) d / |d|
    (Eq. 2). A task's own parameters receive its plain gradient.

    TorchJD is given not G but a square F with F F^T = G G^T, which is G but for a rotation: for G itself in single
    precision the threshold of pinv grows with n, and from 8 million parameters on no direction would be left.
    """

    paper = "Liu et al., ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks, ICLR 2025"

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.aggregator = weights_of("ConFIG")

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        lengths = gramian.diagonal().sqrt()
        divisors = torch.where(lengths > 0, lengths, torch.ones_like(lengths))
        values, vectors = torch.linalg.eigh(gramian / divisors[:, None] / divisors)
        noise = len(values) * torch.finfo(values.dtype).eps * values.max()
        units = vectors * values.where(values > noise, 0).sqrt()  # (P, P), u_t but for a rotation
        update = self.aggregator(lengths[:, None] * units)  # (P,), rotated likewise
        weights: Tensor = torch.linalg.pinv(units.T) @ update / divisors
        return weights

    def gain(self, count: int) -> float:
        return float(count)
