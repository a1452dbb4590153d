"""Multiple-gradient descent: the update of least norm among all weightings of the tasks' gradients."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Balancer, Batch, Losses, Network, SharedRepresentation, option

from .minnorm import min_norm_weights

__all__ = ["Mgda", "MgdaUb"]


@dataclass(frozen=True, kw_only=True)
class MgdaOptions:
    normalise: str = option(
        "none",
        "what gradients are divided by before weights are sought: 1, their norm, the loss, or loss x norm",
        choices=("none", "l2", "loss", "loss+"),
    )


@dataclass(frozen=True, kw_only=True)
class MgdaUbOptions(MgdaOptions):
    branches: str = option(
        "weighted",
        "gradients of the branches: weighted as the released code does, or plain",
        choices=("weighted", "plain"),
    )


class Mgda(Balancer):
    """MGDA on all shared parameters (Désidéri 2012; Sener & Koltun 2018): one backward pass per task.

    w minimises |sum_t w_t g_t / n_t| on the simplex, g_t the gradient of L_t in the shared parameters; the gradient of
    sum_t w_t L_t is what every parameter receives.
    """

    Options = MgdaOptions
    paper = "Désidéri, Multiple-gradient descent algorithm, 2012; Sener & Koltun, NeurIPS 2018"
    needs_sharing = True

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        present = losses.means[losses.present]
        parameters = list(network.parameters())
        per_task = [
            torch.autograd.grad(mean, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
            for mean in present
        ]
        shared = {id(parameter) for parameter in network.shared_parameters()}
        columns = [index for index, parameter in enumerate(parameters) if id(parameter) in shared]
        matrix = torch.stack([torch.cat([row[index].flatten() for index in columns]) for row in per_task])
        weights = least_norm(matrix, present, self.options.normalise)
        if losses.penalty is not None:
            losses.penalty.backward()  # type: ignore[no-untyped-call]
        for index, parameter in enumerate(parameters):
            gradient = torch.stack([row[index] for row in per_task], dim=-1) @ weights
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return losses


class MgdaUb(Balancer):
    """MGDA-UB (Sener & Koltun 2018): MGDA on the gradients in the shared representation, an upper bound.

    With z the representation of the batch and G_t = dL_t / dz, w minimises |sum_t w_t G_t / n_t| on the simplex; the
    encoder is walked back once, with sum_t w_t G_t. With n_t other than 1 the weights are applied to the raw losses.
    """

    Options = MgdaUbOptions
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"
    requires = SharedRepresentation
    needs_sharing = True

    def backward(self, network: Network, batch: Batch) -> Losses:
        assert isinstance(network, SharedRepresentation)
        z = network.encode(batch.inputs)
        leaf = z.detach().requires_grad_()
        losses = network.mean_losses(network.decode(leaf), batch)
        present = losses.means[losses.present]
        rows = [torch.autograd.grad(mean, leaf, retain_graph=True)[0].flatten() for mean in present]
        matrix = torch.stack(rows)  # (present, B * D)
        weights = least_norm(matrix, present, self.options.normalise)
        factors = weights if self.options.branches == "weighted" else torch.ones_like(weights)
        total = (factors * present).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]  # the branches: a leaf hides the encoder
        z.backward((weights @ matrix).view_as(z))  # type: ignore[no-untyped-call]
        return losses


def least_norm(matrix: Tensor, losses: Tensor, normalise: str) -> Tensor:
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
    divisors = {"none": norms**0, "l2": norms, "loss": values, "loss+": values * norms}[normalise]
    divisors = divisors + (divisors == 0)
    weights = min_norm_weights(gramian / divisors[:, None] / divisors)
    return torch.from_numpy(weights).to(matrix)
