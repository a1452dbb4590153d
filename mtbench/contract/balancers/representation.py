"""Balancers that combine the gradients of tasks in the representation that they share."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract.balancers.balancer import gradients_in
from mtbench.contract.balancers.gradient import Combined, GradientBalancer
from mtbench.contract.balancers.losses import Losses
from mtbench.contract.data.batch import Batch
from mtbench.contract.networks.all_tasks import SharedRepresentation
from mtbench.contract.networks.network import Network
from mtbench.contract.promises import check_objectives
from mtbench.contract.tasks.task import Task

__all__ = ["RepresentationBalancer"]


class RepresentationBalancer(GradientBalancer):
    """A balancer that applies a rule for gradients to the gradients in the shared representation z.

    These bound the gradients in the parameters of the encoder, which needs one backward pass. ``matched`` measures
    lengths in z.

    Attributes:
        Rule: the class of the rule, a `GradientBalancer` that is built from the same options.
        rule: an instance of `Rule`, which holds the state.
    """

    Rule: ClassVar[type[GradientBalancer]]
    requires = SharedRepresentation

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.rule = self.Rule(options, tasks)
        self.learning_rate = self.rule.learning_rate
        self.needs_positive_losses = self.rule.needs_positive_losses

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        return self.rule.combine(gradients, losses, indices)

    def gain(self, count: int) -> float | None:
        return self.rule.gain(count)

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        return self.rule.objectives(losses, indices)

    def learn(self, objectives: Tensor) -> None:
        self.rule.learn(objectives)

    def after_step(self, network: Network, batch: Batch) -> Losses | None:
        return self.rule.after_step(network, batch)

    def end_epoch(self, means: Tensor) -> None:
        self.rule.end_epoch(means)

    def backward(self, network: Network, batch: Batch) -> Losses:
        assert isinstance(network, SharedRepresentation)
        z = network.encode(batch.inputs)
        leaf = z.detach().requires_grad_()
        losses = network.mean_losses(network.decode(leaf), batch)
        indices = losses.present_indices
        objectives = self.objectives(losses, indices)
        check_objectives(objectives, indices, self)
        gradients = torch.stack([gradients_in(objective, [leaf])[0].flatten() for objective in objectives])  # (P, n)
        combined, own = self.scaled(gradients, objectives, indices, losses)
        self.learn(objectives)
        total = (own * objectives).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        total.backward(inputs=trained)  # type: ignore[no-untyped-call]  # the branches: a leaf hides the encoder
        if z.requires_grad:  # else all of the encoder is frozen
            z.backward(combined.shared.view_as(z))  # type: ignore[no-untyped-call]
        return dataclasses.replace(losses.weighted(combined.weights), solved=combined.solved)
