"""The mean gradient, projected onto the dual cone."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mtbench.contract import Task

from ..gramian import ByGramian, weights_of

__all__ = ["DualProj"]


class DualProj(ByGramian):
    """DualProj (Lopez-Paz & Ranzato 2017): the mean gradient, projected so that it harms no task.

    pi((1/P) sum_t g_t), pi the projection onto the cone of all d with <d, g_i> >= 0 for every task i; the mean itself
    where it conflicts with none. A task's own parameters receive its plain gradient. The quadratic programme is solved
    by quadprog, which is under the GPL and therefore an extra. TorchJD adds 1e-4 to the diagonal of the inner products,
    which are divided by their trace, so that tasks with gradients a hundred times shorter than the others' would be
    harmed all the same; here it is 1e-10.
    """

    paper = "Lopez-Paz & Ranzato, Gradient Episodic Memory for Continual Learning, NeurIPS 2017"
    extra = "mtbench[quadprog]"
    extra_modules = ("quadprog", "qpsolvers")

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("DualProjWeighting", self.extra)
        self.weighting.projector.reg_eps = 1e-10

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0
