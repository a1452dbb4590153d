"""Fair resource allocation."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from mtbench.contract import Combined, Task, option

from ..gramian import ByGramian, weights_of

__all__ = ["FairGrad"]


@dataclass(frozen=True, kw_only=True)
class FairGradOptions:
    alpha: float = option(
        2.0, "fairness: 1 is proportional, more is nearer to max-min", low=0, search=(1.0, 10.0, "log")
    )


class FairGrad(ByGramian):
    """FairGrad (Ban & Ji 2024): the loss decrease is shared out among the tasks by alpha-fairness.

    With M = G G^T, w > 0 solves (M w)_t = w_t^(-1/alpha) for every task (Eq. 4); the update is sum_t w_t g_t. A task's
    own parameters receive its plain gradient, as in the released code; LibMTL weighs it. The paper uses alpha 1 and 2;
    alpha = 1 has the direction of Nash-MTL, so 2 is taken. The update is as long as the gradients to the power of
    (1 - alpha) / (1 + alpha): with alpha above 1 the longer, the shorter they are.

    Solved for M / trace(M), whose solution is trace(M)^(alpha / (1 + alpha)) times that for M: TorchJD's solver would
    stop far from the solution for short gradients (26 times too small for lengths of 1e-4).
    """

    Options = FairGradOptions
    paper = "Ban & Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024"
    protocol_presets = {"paper": {"clip": 1.0}}  # noqa: RUF012  # the released code, from that of FAMO

    def __init__(self, options: FairGradOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("FairGradWeighting", alpha=options.alpha)

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        combined = super().combine(gradients, losses, indices)
        trace = gradients.double().square().sum()
        factor = trace ** (-self.options.alpha / (1 + self.options.alpha)) if trace > 0 else trace + 1
        factor = factor.to(combined.shared)
        assert combined.weights is not None
        return Combined(shared=factor * combined.shared, weights=factor * combined.weights)
