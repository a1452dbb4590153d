"""Balancers that are wrong in one way each."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mtbench.contract import (
    Balancer,
    Batch,
    Combined,
    GradientBalancer,
    Losses,
    LossWeighting,
    Network,
    Scalarization,
    Task,
)


class OneFactor(LossWeighting):
    """One factor for all tasks, of shape (1,)."""

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights.sum(0, keepdim=True)


class PresentAlone(LossWeighting):
    """Factors of the tasks that are present alone."""

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights[losses.present_indices]


class NoSum(Scalarization):
    """Losses in the place of one number."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.base_weights * losses.totals


class Competes(LossWeighting):
    """A softmax over all losses, the zeros of absent tasks among them."""

    def weigh(self, losses: Losses) -> Tensor:
        return losses.totals.detach().softmax(0)


class Forgetful(LossWeighting):
    """A number of steps that no checkpoint carries."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.steps = 0

    def weigh(self, losses: Losses) -> Tensor:
        self.steps += 1
        return losses.base_weights * (1 + 0.1 * self.steps * torch.arange(len(self.tasks)))


class MeansAlone(Scalarization):
    """The reported losses, without the auxiliary ones."""

    def scalar(self, losses: Losses) -> Tensor:
        return (losses.base_weights * losses.means).sum()


class Idle(LossWeighting):
    """A parameter that no gradient reaches."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logits = nn.Parameter(torch.zeros(len(tasks)))

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights * self.logits.detach().exp()


class OneTable(LossWeighting):
    """A learned scale of each loss, which is not declared to be the tasks' own."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logits = nn.Parameter(torch.zeros(len(tasks)))

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights * self.logits.exp()


class Logarithm(Scalarization):
    """The sum of logarithms, which losses below 0 have none of."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_indices].log().sum()


class Twice(LossWeighting):
    """A second forward pass that is not declared."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        super().backward(network, batch)
        network.zero_grad()
        return super().backward(network, batch)

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights


class Transposed(GradientBalancer):
    """The mean over the parameters, for that over the tasks."""

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        return Combined(shared=gradients.mean(1))


class OwnColumn(GradientBalancer):
    """Factors of the tasks' own parameters as a column."""

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        return Combined(shared=gradients.mean(0), own=torch.ones(len(losses), 1))


class AllWeights(GradientBalancer):
    """Weights of all tasks, present or not."""

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        return Combined(shared=gradients.mean(0), weights=torch.ones(len(self.tasks)))


class Nothing(Balancer):
    """Keeps its losses for itself."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        (losses.base_weights * losses.totals).sum().backward()  # type: ignore[no-untyped-call]
        return None  # type: ignore[return-value]
