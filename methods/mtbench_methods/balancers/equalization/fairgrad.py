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
    """FairGrad (Ban & Ji 2024): the loss decrease is divided among the tasks by alpha-fairness.

    With M = G G^T, w > 0 solves (M w)_t = w_t^(-1/alpha) for every task (Eq. 4); the update is sum_t w_t g_t.
    Task-specific parameters receive the unweighted gradient of their task, as in the released code; LibMTL weights it.
    The paper uses alpha 1 and 2; alpha = 1 has the direction of Nash-MTL, so 2 is the default. Below .5 all decreases
    go to 0 for conflicting gradients, and cannot be distinguished from rounding. The length of the update is that of
    the gradients to the power of (1 - alpha) / (1 + alpha): for alpha above 1 shorter gradients give longer updates.

    Chosen here: the weights are computed by Newton's method (`fair_weights`); the least squares of the released code
    and TorchJD stop far from the solution for gradients of different lengths.

    Compared with: TorchJD's FairGrad, rtol=1e-3, atol=1e-4
    (balancers/equalization/test_fairgrad.py::test_it_is_torchjds_for_gradients_of_moderate_lengths); Eq. 4 itself,
    rtol=1e-6
    (balancers/equalization/test_fairgrad.py::test_the_decrease_of_each_loss_is_its_weight_to_the_power_of_minus_one_over_alpha).
    """

    Options = FairGradOptions
    paper = "Ban & Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024"
    title = "FairGrad"
    bibtex = """@inproceedings{ban2024fair,
      title = {Fair Resource Allocation in Multi-Task Learning},
      author = {Ban, Hao and Ji, Kaiyi},
      booktitle = {International Conference on Machine Learning (ICML)},
      year = {2024},
    }"""
    protocol_presets = {"paper": {"clip": "shared:1"}}  # noqa: RUF012  # the released code, from FAMO's

    def weigh(self, geometry: Geometry) -> Weighed:
        alpha = self.options.alpha
        found = fair_weights(geometry.cosines, geometry.lengths, alpha)
        # For gradients L times as long, the weights are L^(-2 alpha / (1 + alpha)) times as large.
        factor = geometry.longest ** (-2 * alpha / (1 + alpha))
        return Weighed(weights=found.weights * factor, solved=found.solved)
