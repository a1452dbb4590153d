"""Impartial multi-task learning: equal losses (L), equal projections of the gradients (G), or both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mtbench.contract import Conformance, Losses, RepresentationBalancer, Scalarization, Task, option

from ..gramian import ROUNDING, ByGramian, Geometry, Weighed, equal_angles

__all__ = ["Imtl", "ImtlG", "ImtlL", "ImtlUb"]

PAPER = "Liu et al., Towards Impartial Multi-task Learning, ICLR 2021"
BIBTEX = """@inproceedings{liu2021towards,
  title = {Towards Impartial Multi-task Learning},
  author = {Liu, Liyang and others},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year = {2021},
}"""


@dataclass(frozen=True, kw_only=True)
class ImtlLOptions:
    lr: float = option(0.025, "learning rate of the losses' scales", low=0, search=(1e-3, 1e-1, "log"))


class LogScales(nn.ParameterList):
    """s (T,), initially 0: one parameter each, so that the optimizer's momentum does not move an absent task's."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__([nn.Parameter(torch.zeros(())) for _ in tasks])

    def scaled(self, means: Tensor, indices: Tensor) -> Tensor:
        """Return (P,) exp(s_t) L_t - s_t, from the mean losses (T,), of the tasks that are present (P,) int64."""
        return torch.stack([self[task].exp() * means[task] - self[task] for task in indices.tolist()])


class ImtlL(Scalarization):
    """IMTL-L (Liu et al. 2021): each loss learns its own scale, sum_t (exp(s_t) L_t - s_t).

    At the optimum of s_t every scaled loss is 1; for a negative loss there is no optimum. s_t is initially 0; under
    Adam this is uncertainty weighting with -s_t.

    Chosen here: each s_t is one parameter, so that the optimizer's momentum does not move an absent task's, and has a
    learning rate of its own.

    Compared with: TorchJD's IMTLL, values and gradients, rtol=1e-5, atol=1e-6
    (balancers/loss_weights/test_uncertainty.py::test_value_and_gradients_are_torchjds_with_any_scales).
    """

    Options = ImtlLOptions
    needs_positive_losses = True
    paper = PAPER
    title = "IMTL-L"
    bibtex = BIBTEX
    conformance = Conformance(same_as=frozenset({"uncertainty"}))

    def __init__(self, options: ImtlLOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.learning_rate = options.lr
        self.log_scales = LogScales(tasks)

    def scalar(self, losses: Losses) -> Tensor:
        return self.log_scales.scaled(losses.totals, losses.present_indices).sum()


class ImtlG(ByGramian):
    """IMTL-G (Liu et al. 2021): the combination of gradients whose projections on all of them are equal.

    d = sum_t a_t g_t with <d, g_t / |g_t|> the same for every task and sum_t a_t = 1 (Eq. 5); a_t may be negative.
    Task-specific parameters receive the unweighted gradient of their task (Algorithm 1).

    Chosen here: if gradients are linearly dependent, e.g. in one plane, the only vector with equal projections on all
    may be 0: then there is no step. There is none either if the weights for equal projections have a sum of 0.

    Compared with: TorchJD's IMTLG, default tolerance (balancers/equalization/test_imtl.py::test_it_is_torchjds); two
    gradients by hand, atol=1e-5
    (balancers/equalization/test_imtl.py::test_the_update_of_two_known_gradients_projects_alike_on_both).
    """

    paper = PAPER
    title = "IMTL-G"
    bibtex = BIBTEX

    def weigh(self, geometry: Geometry) -> Weighed:
        coefficients, equal = equal_angles(geometry.cosines)
        weights = coefficients / geometry.lengths
        total = float(weights.sum())
        if not equal or abs(total) <= ROUNDING * np.abs(weights).sum():
            return Weighed(weights=np.zeros_like(weights))
        return Weighed(weights=weights / total)

    def gain(self, count: int) -> float | None:  # noqa: ARG002
        return 1.0


class Imtl(ImtlG):
    """IMTL (Liu et al. 2021): IMTL-G on the gradients of the losses scaled by IMTL-L.

    The task-specific parameters, and the scale s_t, receive the gradient of exp(s_t) L_t - s_t (Algorithm 1).

    Chosen here: all of `ImtlL` and `ImtlG`.

    Compared with: IMTL-G on the scaled gradients, atol=1e-6
    (balancers/equalization/test_imtl.py::test_the_hybrid_combines_the_scaled_gradients_as_imtl_g_does).
    """

    title = "IMTL"
    bibtex = BIBTEX
    Options = ImtlLOptions
    needs_positive_losses = True

    def __init__(self, options: ImtlLOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.learning_rate = options.lr
        self.log_scales = LogScales(tasks)

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        return self.log_scales.scaled(losses.totals, indices)

    def learn(self, objectives: Tensor) -> None:
        scales = list(self.log_scales)
        found = torch.autograd.grad(objectives.sum(), scales, retain_graph=True, allow_unused=True)
        for scale, gradient in zip(scales, found, strict=True):
            scale.grad = gradient

    def gain(self, count: int) -> None:  # noqa: ARG002
        """Return None: the length of its gradient changes with the scales of the losses."""
        return


class ImtlUb(RepresentationBalancer):
    """IMTL in the representation (Liu et al. 2021): the paper's form, with one backward pass of the encoder.

    Chosen here: all of `ImtlL` and `ImtlG`.

    Compared with: TorchJD's IMTLG on the gradients in z, rtol=1e-4, atol=1e-6
    (balancers/equalization/test_imtl_ub.py::test_the_encoder_gets_torchjds_combination_in_z_and_branches_the_gradient_of_their_scaled_loss).
    """

    Options = ImtlLOptions
    Rule = Imtl
    paper = PAPER
    title = "IMTL-UB"
    bibtex = BIBTEX
