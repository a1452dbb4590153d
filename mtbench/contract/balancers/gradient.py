"""Balancers that combine the gradients of tasks. Shapes: T tasks, P of them present, n shared parameters."""

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract.balancers.balancer import Balancer, gradients_in
from mtbench.contract.balancers.losses import Losses
from mtbench.contract.data.batch import Batch
from mtbench.contract.networks.network import Network
from mtbench.contract.promises import check_combined, check_objectives

__all__ = ["Combined", "GradientBalancer"]


@dataclass(frozen=True, kw_only=True)
class Combined:
    """The result of combining the gradients of P tasks.

    Attributes:
        shared: (n,) the gradient of the shared parameters.
        own: (P,) the factors of the tasks' gradients in their task-specific parameters; None stands for 1.
        weights: (P,) the coefficients of the tasks' gradients in `shared`; None if it is no such sum.
        solved: True if `shared` meets the condition that defines the rule, False if an iteration ended before it did.
            Steps that were not solved are counted and reported.
    """

    shared: Tensor
    own: Tensor | None = None
    weights: Tensor | None = None
    solved: bool = True


class GradientBalancer(Balancer):
    """A balancer that combines the tasks' gradients in the parameters that they share. A subclass defines `combine`.

    The training protocol's `gradient_scale` sets the length of the combined gradient. ``native``: the length that
    `combine` returns. ``sum``: divided by `gain`, so that the result is the gradient of the unweighted loss if all
    tasks have one gradient. ``matched``: at each step as long as the gradient of the unweighted loss. With the latter
    two the task-specific parameters are scaled too: they get the gradient of the unweighted loss or, if `combine`
    weights it, its weights scaled like the shared gradient.
    """

    needs_shared_parameters = True

    @abstractmethod
    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        """Return the combined gradient.

        Args:
            gradients: (P, n), a row for each task that is present.
            losses: (P,) the tasks' objectives, detached.
            indices: (P,) int64, the indices of their tasks.
        """

    def gain(self, count: int) -> float | None:  # noqa: ARG002
        """Return the length of the combined gradient of `count` equal gradients, relative to one of them.

        None if it depends on their length, so that no constant compensates for it.
        """
        return None

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        """Return the objective of each task that is present (P,): its loss, or a function of it."""
        return losses.totals[indices]

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        indices = losses.present_indices
        objectives = self.objectives(losses, indices)
        check_objectives(objectives, indices, self)
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        found = [
            torch.autograd.grad(objective, parameters, retain_graph=True, allow_unused=True) for objective in objectives
        ]
        used = [any(gradient is not None for gradient in column) for column in zip(*found, strict=True)]
        rows = [
            [torch.zeros_like(p) if gradient is None else gradient for p, gradient in zip(parameters, row, strict=True)]
            for row in found
        ]
        shared = {id(parameter) for parameter in network.shared_parameters()}
        columns = [index for index, parameter in enumerate(parameters) if id(parameter) in shared]
        gradients = torch.stack([torch.cat([row[index].flatten() for index in columns]) for row in rows])
        combined, own = self.scaled(gradients, objectives, indices, losses)
        self.learn(objectives)
        if losses.penalty is not None:
            losses.penalty.backward()  # type: ignore[no-untyped-call]
        pieces = iter(torch.split(combined.shared, [parameters[index].numel() for index in columns]))
        for index, parameter in enumerate(parameters):
            if id(parameter) in shared:
                gradient = next(pieces).view_as(parameter)
            elif not used[index]:
                continue  # a gradient of 0 would let the optimizer's momentum move an absent task's parameters
            else:
                gradient = torch.stack([row[index] for row in rows], dim=-1) @ own
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return dataclasses.replace(losses.weighted(combined.weights), solved=combined.solved)

    def scaled(self, gradients: Tensor, objectives: Tensor, indices: Tensor, losses: Losses) -> tuple[Combined, Tensor]:
        """Return `combine` on the training protocol's scale, and the factors of the task-specific gradients (P,).

        The weights of the result refer to the mean losses of all tasks (T,).
        """
        combined = self.combine(gradients, objectives.detach(), indices)
        check_combined(combined, gradients, getattr(self, "rule", self))
        slopes = gradients_in(objectives.sum(), [losses.means])[0][indices]  # of each objective by its mean loss
        if self.gradient_scale == "native":
            own = torch.ones_like(objectives) if combined.own is None else combined.own
            return self._recorded(combined, slopes, losses), own
        # The coefficient of each objective's gradient in that of the unweighted loss.
        plain = losses.base_weights[indices] / slopes
        if self.gradient_scale == "sum":
            gain = self.gain(len(indices))
            assert gain is not None  # planning has refused the others
            factor = plain.new_tensor(1 / gain)
        else:
            length = combined.shared.norm()
            factor = torch.where(length > 0, (plain @ gradients).norm() / length, torch.ones_like(length))
        own = plain if combined.own is None else factor * combined.own
        weights = None if combined.weights is None else factor * combined.weights
        combined = dataclasses.replace(combined, shared=factor * combined.shared, weights=weights)
        return self._recorded(combined, slopes, losses), own

    @staticmethod
    def _recorded(combined: Combined, slopes: Tensor, losses: Losses) -> Combined:
        """Return `combined` with its weights (P,) expressed for the mean losses of all tasks (T,), 0 where absent."""
        if combined.weights is None:
            return combined
        weights = torch.zeros_like(losses.means).index_copy(0, losses.present_indices, combined.weights * slopes)
        return dataclasses.replace(combined, weights=weights)

    def learn(self, objectives: Tensor) -> None:
        """Add the gradient of the summed objectives (P,) to ``.grad`` of the balancer's own parameters."""
        parameters = list(self.parameters())
        if parameters:
            for parameter, gradient in zip(parameters, gradients_in(objectives.sum(), parameters), strict=True):
                parameter.grad = gradient
