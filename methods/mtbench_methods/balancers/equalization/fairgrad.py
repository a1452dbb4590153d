"""Fair resource allocation."""

from dataclasses import dataclass

from mtbench.contract import option

from ..gramian import ByGramian, Geometry, Weighed
from .fair_weights import fair_weights

__all__ = ["FairGrad"]


@dataclass(frozen=True, kw_only=True)
class FairGradOptions:
    alpha: float = option(
        2.0, "fairness: 1 is proportional, more is nearer to max-min", low=0.5, search=(1.0, 10.0, "log")
    )


class FairGrad(ByGramian):
    """FairGrad (Ban & Ji 2024): the loss decrease is shared out among the tasks by alpha-fairness.

    With M = G G^T, w > 0 solves (M w)_t = w_t^(-1/alpha) for every task (Eq. 4); the update is sum_t w_t g_t. A task's
    own parameters receive its plain gradient, as in the released code; LibMTL weighs it. The paper uses alpha 1 and 2;
    alpha = 1 has the direction of Nash-MTL, so 2 is taken. Below .5 all decreases go to 0 where gradients conflict, and
    cannot be told from rounding. The update is as long as the gradients to the power of (1 - alpha) / (1 + alpha): with
    alpha above 1 the longer, the shorter they are.

    Solved by Newton's method (`fair_weights`); the least squares of the released code and TorchJD stop far from the
    solution for gradients of unlike lengths.
    """

    Options = FairGradOptions
    paper = "Ban & Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024"
    protocol_presets = {"paper": {"clip": "shared:1"}}  # noqa: RUF012  # the released code, from FAMO's

    def weigh(self, geometry: Geometry) -> Weighed:
        alpha = self.options.alpha
        found = fair_weights(geometry.cosines, geometry.lengths, alpha)
        # Of gradients L times as long, the weights are L^(-2 alpha / (1 + alpha)) times as great.
        factor = geometry.longest ** (-2 * alpha / (1 + alpha))
        return Weighed(weights=found.weights * factor, solved=found.solved)
