"""Conflict-averse gradients."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from mtbench.contract import Task, option

from ..gramian import ByGramian, weights_of

__all__ = ["CAGrad"]


@dataclass(frozen=True, kw_only=True)
class CAGradOptions:
    c: float = option(
        0.4, "how far the update may be from the mean gradient, relative to its length", low=0, search=(0.1, 1.0)
    )


class CAGrad(ByGramian):
    """CAGrad (Liu et al. 2021): near the mean gradient g_0, the update that serves the worst-off task best.

    ::

        w minimizes <g_w, g_0> + c |g_0| |g_w| on the simplex, g_w = sum_i w_i g_i         (Eq. 5)
        d = g_0 + c |g_0| / |g_w| g_w

    On TorchJD's scale: neither divided by 1 + c^2 nor multiplied by T as in the released code. The paper's c is .4 or
    .5; .4 is taken. A task's own parameters receive its plain gradient.
    """

    Options = CAGradOptions
    paper = "Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, NeurIPS 2021"
    extra = "mtbench[cagrad]"
    extra_modules = ("cvxpy", "clarabel")

    def __init__(self, options: CAGradOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("CAGradWeighting", self.extra, c=options.c)

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1 + float(self.options.c)
