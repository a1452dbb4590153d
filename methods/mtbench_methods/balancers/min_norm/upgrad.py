"""Unconflicting projection of gradients."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mtbench.contract import Task

from ..gramian import ByGramian, weights_of

__all__ = ["UPGrad"]


class UPGrad(ByGramian):
    """UPGrad (Quinton & Rey 2024): each gradient is projected so that it harms no task, then they are averaged.

    (1/P) sum_t pi(g_t), pi the projection onto the cone of all d with <d, g_i> >= 0 for every task i. A task's own
    parameters receive its plain gradient. The quadratic programme is solved by quadprog, which is under the GPL and
    therefore an extra. TorchJD adds 1e-4 to the diagonal of the inner products, which are divided by their trace, so
    that tasks with gradients a hundred times shorter than the others' would be harmed all the same; here it is 1e-10.
    """

    paper = "Quinton & Rey, Jacobian Descent for Multi-Objective Optimization, 2024"
    extra = "mtbench[quadprog]"
    extra_modules = ("quadprog", "qpsolvers")

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("UPGradWeighting", self.extra)
        self.weighting.projector.reg_eps = 1e-10

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0
