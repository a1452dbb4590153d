"""The Nash bargaining solution among tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Task, option

from ..gramian import ByGramian, Geometry, Weighed
from .fair_weights import fair_weights

__all__ = ["NashMtl"]


@dataclass(frozen=True, kw_only=True)
class NashMtlOptions:
    update_every: int = option(1, "steps after which the weights are computed again", low=1)
    raw: bool = option(
        False, "inner products as they are, as in the released code, so that every update is sqrt(P) long; else scaled"
    )


class NashMtl(ByGramian):
    """Nash-MTL (Navon et al. 2022): the update that is the tasks' Nash bargaining solution.

    With M = G G^T, divided by its Frobenius norm, a > 0 solves M a = 1 / a (Eq. 3); the loss is sum_t a_t L_t, also for
    the branches.

    Chosen here: the equation is solved by Newton's method instead of the paper's sequence of convex programs
    (`fair_weights`). The released code differs in scale: it solves M a = 1 / a for the raw M, so that the shared
    gradient would always have the length sqrt(P), and then clips it to length 1. Its update is thus a direction alone,
    and the losses of its branches are weighted by the raw a: this is ``preset=paper``. Here the length of the update
    depends on the gradients.

    A task without a gradient, for which there is no bargain, keeps its weight, as do absent tasks; weights are
    initially 1. If gradients cancel there is no bargain for their tasks either: their branches keep their weights, and
    the update of the shared parameters does not change their losses.

    Compared with: TorchJD's NashMTL, divided by the norm, rtol=1e-2, atol=1e-3
    (balancers/test_directions.py::test_nash_is_torchjds_but_for_the_division_by_the_norm); the released code's raw
    equation, by hand, default tolerance
    (balancers/equalization/test_nash_mtl.py::test_the_raw_equation_is_that_of_the_released_code); a general minimizer,
    rtol=1e-4
    (balancers/equalization/test_nash_mtl.py::test_a_minimizer_that_knows_nothing_of_newton_finds_the_same_weights).
    """

    Options = NashMtlOptions
    # The released code, weight_methods.py.
    presets = {"paper": {"raw": True}}  # noqa: RUF012
    protocol_presets = {"paper": {"clip": "shared:1"}}  # noqa: RUF012
    paper = "Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022"
    title = "Nash-MTL"
    bibtex = """@inproceedings{navon2022multi,
      title = {Multi-Task Learning as a Bargaining Game},
      author = {Navon, Aviv and Shamsian, Aviv and Achituve, Idan and Maron, Haggai and Kawaguchi, Kenji and
        Chechik, Gal and Fetaya, Ethan},
      booktitle = {International Conference on Machine Learning (ICML)},
      year = {2022},
    }"""

    def __init__(self, options: NashMtlOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weights: Tensor
        self.steps: Tensor
        self.register_buffer("weights", torch.ones(len(tasks), dtype=torch.float64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def weigh(self, geometry: Geometry) -> Weighed:
        is_due = int(self.steps) % self.options.update_every == 0
        self.steps += 1
        before = self.weights.cpu().numpy()
        if not is_due:
            return Weighed(weights=before[geometry.indices])
        found = fair_weights(geometry.cosines, geometry.lengths, alpha=1)
        gramian = geometry.cosines * geometry.lengths[:, None] * geometry.lengths
        # Weights that solve M a = 1 / a are proportional to 1 / |g|, and those for M / |M| do not depend on it.
        weights = found.weights * (1 / geometry.longest if self.options.raw else np.linalg.norm(gramian) ** 0.5)
        after = before.copy()
        after[geometry.indices[~found.blocked]] = weights[~found.blocked]
        self.weights.copy_(torch.from_numpy(after))
        return Weighed(weights=weights, solved=found.solved)

    def branches(self, weights: Tensor, indices: Tensor) -> Tensor:
        limit = torch.finfo(weights.dtype).max
        return self.weights[indices.to(self.weights.device)].clamp(max=limit).to(weights)

    def gain(self, count: int) -> float | None:
        return None if self.options.raw else float(count)
