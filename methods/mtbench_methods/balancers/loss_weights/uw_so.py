"""Soft optimal uncertainty weighting."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Conformance, Losses, LossWeighting, option

__all__ = ["UwSo"]

SMALL = 1e-8


@dataclass(frozen=True, kw_only=True)
class UwSoOptions:
    temperature: float = option(1.0, "the greater, the more alike are the weights", low=1e-3, search=(0.5, 50.0, "log"))


class UwSo(LossWeighting):
    """UW-SO (Kirchdorfer et al. 2024): a softmax of the inverse losses, so that small losses get large weights.

    The variance by which `uncertainty` divides a loss has its optimum at the loss itself, and need not be learned.
    UW-SO normalizes the inverses of the losses, which are held constant::

        w_t = exp(1 / (L_t temperature)) / sum_i exp(1 / (L_i temperature)),    loss = sum_t w_t L_t

    over the tasks that are present. The weights sum to 1, as those of `uniform` do, and equal losses are uniform.

    The weights are those of one batch, without a memory. Where losses approach 0 their inverses differ by more than
    the temperature, and the smallest loss takes all the weight; the paper tunes the temperature. Losses must be
    positive.

    Chosen here: the temperature is 1 by default, as in the released code, which also adds 1e-8 to each loss. On
    networks that answer one task per image, and on `single`, the base weight of each task is multiplied by P w_t, P the
    number of tasks that are present.

    Compared with: the formula written out again with SciPy in double precision, rel=1e-5
    (balancers/loss_weights/test_uw_so.py::test_the_weights_are_the_softmax_of_the_inverse_losses).
    """

    Options = UwSoOptions
    needs_positive_losses = True
    paper = "Kirchdorfer et al., Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning, GCPR 2024"
    title = "UW-SO"
    bibtex = """@inproceedings{kirchdorfer2024analytical,
      title = {Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning},
      author = {Kirchdorfer, Lukas and Elich, Cathrin and Kutsche, Simon and Stuckenschmidt, Heiner and
        Schott, Lukas and K{\\"o}hler, Jan M.},
      booktitle = {German Conference on Pattern Recognition (GCPR)},
      year = {2024},
    }"""

    # Of small losses the smallest takes all the weight, so that the other task's is not minimized further.
    conformance = Conformance(learns_to=60.0)

    def weigh(self, losses: Losses) -> Tensor:
        present = losses.present_mask  # a mask, since selecting by it waits for a GPU
        inverses = 1 / (losses.totals.detach() + SMALL)
        shares = (inverses / self.options.temperature).where(present, -torch.inf).softmax(0)
        weights: Tensor = losses.base_weights * present.sum() * shares
        return weights
