"""From the losses of T tasks to one gradient: how tasks that share parameters are weighed against each other.

A balancer acts on the P tasks that are present in a batch alone. Its whole state must be in ``state_dict()``; what is
no tensor of a fixed shape goes there by ``get_extra_state`` and ``set_extra_state``.

- `LossWeighting` gives each loss a factor, and `Scalarization` makes one number of them: one backward pass.
- `GradientBalancer` combines the tasks' gradients in the parameters that they share: a backward pass per task.
- `RepresentationBalancer` combines them in the representation that they share: one backward pass of the encoder.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.dataset import Batch
from mtbench.contract.network import Losses, Network, SharedRepresentation
from mtbench.contract.options import NoOptions
from mtbench.contract.task import Task

__all__ = ["Balancer", "Combined", "GradientBalancer", "LossWeighting", "RepresentationBalancer", "Scalarization"]


class Balancer(nn.Module, ABC):
    """Turns a batch into gradients. Derive from one of the classes below, unless none of them fits.

    Attributes:
        Options: its options class.
        paper: where it comes from.
        requires: what kind of network it can balance, e.g. `SharedRepresentation`.
        needs_shared_parameters: whether it makes sense only where tasks share parameters.
        extra: what must be installed besides, in the words that pip is given, e.g. ``mtbench[cagrad]``; a plain text,
            which ``mtbench list`` reads without importing anything.
        extra_modules: the modules that come with `extra`, a tuple of plain texts likewise.
        same_as: the names of balancers that it is the same method as, for all that training shows.
        learns_within: see `Network.learns_within`.
        learns_to: the accuracy in %, mean over tasks, that it gets to then, if by its nature that is less than 95.
        learning_rate: of its own parameters at the start, if it has any; it falls as the network's does.
        forwards: how many forward passes a step takes besides the network's own.
        gradient_scale: the protocol's, for balancers that combine gradients.
    """

    Options: ClassVar[type[Any]] = NoOptions
    paper: ClassVar[str] = ""
    requires: ClassVar[type[Network]] = Network  # type: ignore[type-abstract]
    needs_shared_parameters: ClassVar[bool] = False
    extra: ClassVar[str] = ""
    extra_modules: ClassVar[tuple[str, ...]] = ()
    same_as: ClassVar[frozenset[str]] = frozenset()
    learns_within: ClassVar[int] = 300
    learns_to: ClassVar[float] = 95.0
    forwards: ClassVar[int] = 0
    learning_rate: float = 0.025
    gradient_scale: str = "native"

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.options = options
        self.tasks = tuple(tasks)

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Raise UsageError if the options do not fit each other or the tasks; called before anything is built."""

    @classmethod
    def example(cls, tasks: Sequence[Task]) -> Mapping[str, str]:  # noqa: ARG003
        """Options to try it with on these tasks, as on the command line, where its defaults will not do."""
        return {}

    @abstractmethod
    def backward(self, network: Network, batch: Batch) -> Losses:
        """Compute the losses of a batch and leave the balanced gradient in ``.grad`` of the network's parameters,
        where there was none before."""

    def after_step(self, network: Network, batch: Batch) -> None:
        """Called when the optimizer has taken the step of this batch."""

    def end_epoch(self, means: Tensor) -> None:
        """Called after each epoch with the tasks' mean training losses in it (T,), NaN for a task that was absent."""


class Scalarization(Balancer):
    """A balancer that makes one number of the losses, and then takes one ordinary backward pass."""

    @abstractmethod
    def scalar(self, losses: Losses) -> Tensor:
        """The number whose gradient is taken, from the losses of the tasks that are present; no penalty in it."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        total = self.scalar(losses)
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]
        return losses


class LossWeighting(Scalarization):
    """A balancer that weighs the losses. Factors equal to `Losses.share` weigh nothing: that is uniform."""

    @abstractmethod
    def weigh(self, losses: Losses) -> Tensor:
        """(T,) the factors of the mean losses; those of absent tasks do not matter."""

    def scalar(self, losses: Losses) -> Tensor:
        return (self.weigh(losses) * losses.means).sum()


@dataclass(frozen=True, kw_only=True)
class Combined:
    """What a balancer makes of the gradients of P tasks.

    Attributes:
        shared: (n,) the gradient of what is shared.
        own: (P,) by what each task's gradient in the parameters of its own is multiplied; None if by nothing.
    """

    shared: Tensor
    own: Tensor | None = None


class GradientBalancer(Balancer):
    """A balancer that combines the tasks' gradients in the parameters that they share. Derive and give `combine`.

    The protocol's `gradient_scale` says how long the combined gradient is. ``native``: as `combine` gives it. ``sum``:
    divided by `gain`, so that where all tasks have one gradient it is what the plain loss gives. ``matched``: at each
    step as long as the gradient of the plain loss. With the latter two the tasks' own parameters follow: they get the
    gradient of the plain loss or, where `combine` weighs it, its weights scaled like the shared gradient.
    """

    needs_shared_parameters = True

    @abstractmethod
    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        """The combined gradient.

        Args:
            gradients: (P, n), a row for each task that is present.
            losses: (P,) their objectives, detached.
            indices: (P,) int64, the indices of their tasks.
        """

    def gain(self, count: int) -> float | None:  # noqa: ARG002
        """How long the combined gradient of that many equal gradients is, relative to one of them.

        None if that depends on how long they are, so that no constant makes up for it.
        """
        return None

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        """(P,) what is differentiated for each task that is present: its mean loss, or a function of it."""
        return losses.means[indices]

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        indices = losses.present_indices
        objectives = self.objectives(losses, indices)
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
        direction, own = self.scaled(gradients, objectives, indices, losses)
        self.learn(objectives)
        if losses.penalty is not None:
            losses.penalty.backward()  # type: ignore[no-untyped-call]
        pieces = iter(torch.split(direction, [parameters[index].numel() for index in columns]))
        for index, parameter in enumerate(parameters):
            if id(parameter) in shared:
                gradient = next(pieces).view_as(parameter)
            elif not used[index]:
                continue  # a gradient of 0 would let the optimizer's momentum move an absent task's parameters
            else:
                gradient = torch.stack([row[index] for row in rows], dim=-1) @ own
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return losses

    def scaled(self, gradients: Tensor, objectives: Tensor, indices: Tensor, losses: Losses) -> tuple[Tensor, Tensor]:
        """`combine` on the protocol's scale: the shared gradient (n,), and the factors of the tasks' own (P,)."""
        combined = self.combine(gradients, objectives.detach(), indices)
        if self.gradient_scale == "native":
            return combined.shared, torch.ones_like(objectives) if combined.own is None else combined.own
        # What each objective's gradient counts for in that of the plain loss.
        plain = losses.base_weights[indices] / _gradients(objectives.sum(), [losses.means])[0][indices]
        if self.gradient_scale == "sum":
            gain = self.gain(len(indices))
            assert gain is not None  # planning has refused the others
            factor = plain.new_tensor(1 / gain)
        else:
            length = combined.shared.norm()
            factor = torch.where(length > 0, (plain @ gradients).norm() / length, torch.ones_like(length))
        return factor * combined.shared, plain if combined.own is None else factor * combined.own

    def learn(self, objectives: Tensor) -> None:
        """Leave the gradient of the summed objectives (P,) in ``.grad`` of the balancer's own parameters."""
        parameters = list(self.parameters())
        if parameters:
            for parameter, gradient in zip(parameters, _gradients(objectives.sum(), parameters), strict=True):
                parameter.grad = gradient


class RepresentationBalancer(GradientBalancer):
    """A balancer that combines the tasks' gradients in the representation z that they share, an upper bound.

    The encoder is walked back once. ``matched`` measures lengths in z.
    """

    requires = SharedRepresentation

    def backward(self, network: Network, batch: Batch) -> Losses:
        assert isinstance(network, SharedRepresentation)
        z = network.encode(batch.inputs)
        leaf = z.detach().requires_grad_()
        losses = network.mean_losses(network.decode(leaf), batch)
        indices = losses.present_indices
        objectives = self.objectives(losses, indices)
        gradients = torch.stack([_gradients(objective, [leaf])[0].flatten() for objective in objectives])  # (P, B * D)
        direction, own = self.scaled(gradients, objectives, indices, losses)
        self.learn(objectives)
        total = (own * objectives).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        total.backward(inputs=trained)  # type: ignore[no-untyped-call]  # the branches: a leaf hides the encoder
        z.backward(direction.view_as(z))  # type: ignore[no-untyped-call]
        return losses


def _gradients(value: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The gradient in each parameter, zero where it has no part in the value; the graph is kept."""
    return torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
