"""Projecting conflicting gradients."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mtbench.contract import Task

from ..gramian import ByGramian, weights_of

__all__ = ["PCGrad"]


class PCGrad(ByGramian):
    """PCGrad (Yu et al. 2020): each gradient loses what conflicts with the others, one after another; their sum.

    For each task i, h_i = g_i at first; then for each other task j, in random order, where <h_i, g_j> < 0::

        h_i <- h_i - <h_i, g_j> / |g_j|^2 g_j

    The shared gradient is sum_i h_i (the paper's; some codes take the mean). A task's own parameters receive its plain
    gradient. Orders are drawn from torch's global generator.
    """

    paper = "Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020"

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("PCGradWeighting")

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def gain(self, count: int) -> float:
        return float(count)
