"""Multiple-gradient descent: the update of least norm among all weightings of the tasks' gradients."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Combined, Conformance, GradientBalancer, RepresentationBalancer, Task, option

from .solver import min_norm_weights

__all__ = ["Mgda", "MgdaUb"]


@dataclass(frozen=True, kw_only=True)
class MgdaOptions:
    normalize: str = option(
        "none",
        "what gradients are divided by before weights are sought: 1, their norm, the loss, or loss x norm",
        choices=("none", "l2", "loss", "loss+"),
        search="choices",
        formerly="normalise",
    )


@dataclass(frozen=True, kw_only=True)
class MgdaUbOptions(MgdaOptions):
    branches: str = option(
        "weighted",
        "gradients of the branches: weighted as the released code does, or plain",
        choices=("weighted", "plain"),
    )


class Mgda(GradientBalancer):
    """MGDA on all shared parameters (Désidéri 2012; Sener & Koltun 2018): one backward pass per task.

    w minimizes |sum_t w_t g_t / n_t| on the simplex, g_t the gradient of L_t in the shared parameters; the gradient of
    sum_t w_t L_t is what every parameter receives.
    """

    Options = MgdaOptions
    # Once a task is learned by heart its gradient is next to nothing, and MGDA heeds it alone.
    conformance = Conformance(learns_to=60.0)
    paper = "Désidéri, Multiple-gradient descent algorithm, 2012; Sener & Koltun, NeurIPS 2018"

    def __init__(self, options: MgdaOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.needs_positive_losses = options.normalize in ("loss", "loss+")  # a negative one would turn its gradient

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        weights = least_norm(gradients, losses, self.options.normalize)
        return Combined(shared=weights @ gradients, own=weights, weights=weights)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0


class MgdaUb(RepresentationBalancer):
    """MGDA-UB (Sener & Koltun 2018): MGDA on the gradients in the shared representation, an upper bound.

    With z the representation of the batch and G_t = dL_t / dz, w minimizes |sum_t w_t G_t / n_t| on the simplex; the
    encoder is walked back once, with sum_t w_t G_t. With n_t other than 1 the weights are applied to the raw losses.
    """

    Options = MgdaUbOptions
    Rule = Mgda
    conformance = Conformance(learns_to=60.0)  # as of `Mgda`
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        combined = super().combine(gradients, losses, indices)
        return combined if self.options.branches == "weighted" else dataclasses.replace(combined, own=None)


def least_norm(matrix: Tensor, losses: Tensor, normalize: str) -> Tensor:
    """The min-norm weights (P,) of P gradients (P, n), each divided by n_t first (Sener & Koltun's released code).

    n_t is 1 (none), |G_t| (l2), L_t (loss) or L_t |G_t| (loss+), and 1 where that would be 0. Where a gradient is not
    finite there is no such point; the weights are equal then, and the loop says which loss broke.
    """
    wide = matrix.double()  # where gradients nearly cancel, single precision would lose the minimum
    gramian = (wide @ wide.T).cpu().numpy()
    if not np.isfinite(gramian).all():
        return torch.full_like(losses, 1 / len(losses))
    norms = gramian.diagonal() ** 0.5
    values = losses.detach().double().cpu().numpy()
    divisors = {"none": norms**0, "l2": norms, "loss": values, "loss+": values * norms}[normalize]
    divisors = divisors + (divisors == 0)
    weights = min_norm_weights(gramian / divisors[:, None] / divisors)
    return torch.from_numpy(weights).to(matrix)
