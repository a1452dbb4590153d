"""Multiple-gradient descent: the update of smallest norm among all weightings of the tasks' gradients."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Combined, Conformance, GradientBalancer, RepresentationBalancer, Task, option

from ..gramian import Geometry
from .solver import least_norm

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

    w minimizes |sum_t w_t g_t / n_t| on the simplex, g_t the gradient of L_t in the shared parameters; every parameter
    receives the gradient of sum_t w_t L_t.

    Chosen here: the least norm is found exactly, by an active-set method, and not by steps of Frank and Wolfe as in the
    released code.

    Compared with: the closed form for two tasks, rtol=1e-4, atol=1e-6
    (test_balancers.py::test_mgda_weighs_by_the_closed_form_on_the_shared_parameters); TorchJD's MGDA after many steps,
    atol=1e-2 (balancers/test_directions.py::test_mgda_is_as_short_as_what_torchjd_comes_to_in_many_steps).
    """

    Options = MgdaOptions
    # Once a task is memorized its gradient is nearly 0, and MGDA follows it alone.
    conformance = Conformance(learns_to=60.0)
    paper = "Désidéri, Multiple-gradient descent algorithm, 2012; Sener & Koltun, NeurIPS 2018"
    title = "MGDA"
    bibtex = r"""@article{desideri2012multiple,
      title = {Multiple-gradient descent algorithm ({MGDA}) for multiobjective optimization},
      author = {D{\'e}sid{\'e}ri, Jean-Antoine},
      journal = {Comptes Rendus Math{\'e}matique},
      year = {2012},
    }
    @inproceedings{sener2018multi,
      title = {Multi-Task Learning as Multi-Objective Optimization},
      author = {Sener, Ozan and Koltun, Vladlen},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2018},
    }"""

    def __init__(self, options: MgdaOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.needs_positive_losses = options.normalize in ("loss", "loss+")  # a negative one would turn its gradient

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        wide = gradients.double()  # where gradients nearly cancel, single precision would lose the minimum
        exact, solved = least_norm_weights(wide, losses, self.options.normalize)
        weights = exact.to(gradients)
        return Combined(shared=weights @ gradients, own=weights, weights=weights, solved=solved)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0


class MgdaUb(RepresentationBalancer):
    """MGDA-UB (Sener & Koltun 2018): MGDA on the gradients in the shared representation, an upper bound.

    With z the representation of the batch and G_t = dL_t / dz, w minimizes |sum_t w_t G_t / n_t| on the simplex; one
    backward pass of the encoder takes sum_t w_t G_t. With n_t other than 1 the weights are applied to the raw losses.

    Chosen here: the least norm is found exactly, as in `Mgda`.

    Compared with: the closed form for two tasks, rtol=1e-4, atol=1e-6
    (test_balancers.py::test_mgda_ub_weighs_by_the_closed_form_on_the_representation).
    """

    Options = MgdaUbOptions
    Rule = Mgda
    conformance = Conformance(learns_to=60.0)  # as of `Mgda`
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"
    title = "MGDA-UB"
    bibtex = """@inproceedings{sener2018multi,
      title = {Multi-Task Learning as Multi-Objective Optimization},
      author = {Sener, Ozan and Koltun, Vladlen},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2018},
    }"""

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        combined = super().combine(gradients, losses, indices)
        return combined if self.options.branches == "weighted" else dataclasses.replace(combined, own=None)


def least_norm_weights(wide: Tensor, losses: Tensor, normalize: str) -> tuple[Tensor, bool]:
    """Return the min-norm weights (P,) of P gradients (P, n), each divided by n_t first, as in the released code.

    n_t is 1 (none), |G_t| (l2), |L_t| (loss) or |L_t| |G_t| (loss+), and 1 where that would be 0. Gradients of 0 take
    all the weight, in equal parts. If a gradient is not finite there is no such point; then the weights are equal, and
    the loop reports the loss that broke.

    Returns:
        the weights, and True if they are the solution.
    """
    gramian = (wide @ wide.T).cpu().numpy()
    finite = math.isfinite(gramian.sum())
    if not (finite and gramian.diagonal().all()):
        chosen = gramian.diagonal() == 0 if finite else np.ones(len(gramian))
        return torch.from_numpy(chosen / chosen.sum()).to(wide), True
    geometry = Geometry.of(gramian, np.arange(len(gramian)))
    lengths = geometry.longest * geometry.lengths
    divisors = np.ones_like(lengths)
    if normalize in ("loss", "loss+"):
        divisors = np.abs(losses.detach().double().cpu().numpy())
    if normalize in ("l2", "loss+"):
        divisors = divisors * lengths
    weights, solved = least_norm(geometry.cosines, lengths / np.where(divisors > 0, divisors, 1))
    return torch.from_numpy(weights).to(wide), solved
