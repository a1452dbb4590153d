"""From the losses of T tasks to one gradient: rules that balance tasks which share parameters.

A balancer acts only on the P tasks that are present in a batch. Its whole state must be in ``state_dict()``; state that
is no tensor of a fixed shape is stored there by ``get_extra_state`` and ``set_extra_state``.

- `LossWeighting` gives each loss a factor, and `Scalarization` makes one number of the losses: one backward pass.
- `GradientBalancer` combines the tasks' gradients in the parameters that they share: a backward pass per task.
- `RepresentationBalancer` combines the gradients in the shared representation: one backward pass of the encoder.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.balancers.losses import Losses
from mtbench.contract.conformance import Conformance
from mtbench.contract.data.split import Batch
from mtbench.contract.networks.network import Network, SharedRepresentation
from mtbench.contract.options import NoOptions, Value
from mtbench.contract.promises import check_combined, check_objectives, check_shape
from mtbench.contract.tasks.task import Task

__all__ = ["Balancer", "Combined", "GradientBalancer", "LossWeighting", "RepresentationBalancer", "Scalarization"]


class Balancer(nn.Module, ABC):
    """A rule that turns a batch into gradients. Derive from one of the classes below, unless none of them fits.

    Attributes:
        Options: the options class.
        paper: the paper that proposes it.
        presets: named sets of options, e.g. ``famo:preset=paper`` for the options that its authors train with.
        protocol_presets: for each preset the settings of the training protocol that it changes for this method alone.
            Tables mark such a row.
        requires: the class of network that it can balance, e.g. `SharedRepresentation`.
        needs_shared_parameters: True if it makes sense only where tasks share parameters.
        extra: an optional dependency in pip's notation, e.g. ``mine[solver]``; a plain text, which ``mtbench list``
            reads without importing anything.
        extra_modules: the modules that `extra` installs, also a tuple of plain texts.
        needs_positive_losses: True if it is not defined for negative losses, including auxiliary terms, e.g. because it
            takes logarithms, roots or ratios of losses. A loss of exactly 0 must be accepted. An attribute of the
            instance where it depends on options. Planning refuses tasks whose kind `has_negative_losses`, and training
            ends at the first negative loss.
        conformance: facts that only `mtbench check` reads.
        role: ``reference`` for the one balancer that takes the unweighted loss, else empty; see `Network.role`.
        learning_rate: the initial learning rate of its own parameters, if it has any; it follows the network's
            schedule.
        per_task: the names of its own parameters (T, ...) that have a row for each task: the rows of tasks that are
            absent from a step do not move, whatever state the optimizer has. A parameter for one task alone needs no
            name here.
        forwards: the number of forward passes of a step besides the network's own. Those in `after_step` leave the
            network's buffers, such as running statistics, unchanged: the loop restores them.
        gradient_scale: the setting of the training protocol, for balancers that combine gradients.
    """

    Options: ClassVar[type[Any]] = NoOptions
    paper: ClassVar[str] = ""
    presets: ClassVar[Mapping[str, Mapping[str, Value]]] = {}
    protocol_presets: ClassVar[Mapping[str, Mapping[str, Value]]] = {}
    requires: ClassVar[type[Network]] = Network  # type: ignore[type-abstract]
    needs_shared_parameters: ClassVar[bool] = False
    extra: ClassVar[str] = ""
    extra_modules: ClassVar[tuple[str, ...]] = ()
    conformance: ClassVar[Conformance] = Conformance()
    forwards: ClassVar[int] = 0
    role: ClassVar[str] = ""
    per_task: ClassVar[frozenset[str]] = frozenset()
    learning_rate: float = 0.025
    needs_positive_losses: bool = False
    gradient_scale: str = "native"

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.options = options
        self.tasks = tuple(tasks)

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Raise UsageError if the options do not fit each other or the tasks; called before anything is built."""

    @abstractmethod
    def backward(self, network: Network, batch: Batch) -> Losses:
        """Compute the losses of a batch and leave the balanced gradient in ``.grad`` of the network's parameters.

        These parameters have no gradient before. The losses that are balanced are `Losses.totals`: the mean losses with
            the auxiliary terms of networks that have any. The result's `Losses.weights` hold the coefficient of each
            task's gradient in the gradient of the shared parameters; they are recorded.
        """

    def after_step(self, network: Network, batch: Batch) -> Losses | None:  # noqa: ARG002
        """Update the state after the optimizer has taken the step of this batch; does nothing by default.

        Returns:
            the losses that were measured here, which are checked like those of a step; None if there are none.
        """
        return None

    def end_epoch(self, means: Tensor) -> None:
        """Process the tasks' mean training losses (T,) in the epoch that ends, auxiliary terms included.

        They are NaN for a task that was absent.
        """


class Scalarization(Balancer):
    """A balancer that makes one number of the losses and takes one ordinary backward pass."""

    @abstractmethod
    def scalar(self, losses: Losses) -> Tensor:
        """Return the number to differentiate, from the losses of the tasks that are present, without the penalty."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        total = self.scalar(losses)
        check_shape(total, (), self, "scalar", of=f"for {len(losses.means)} tasks", because="the number to descend")
        weights = _gradients(total, [losses.means])[0]
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]
        return losses.weighted(weights)


class LossWeighting(Scalarization):
    """A balancer that weights the losses. Factors equal to `Losses.base_weights` give the unweighted loss (uniform)."""

    @abstractmethod
    def weigh(self, losses: Losses) -> Tensor:
        """Return the factors (T,) of the losses; those of absent tasks do not matter."""

    def scalar(self, losses: Losses) -> Tensor:
        factors, present = self.weigh(losses), losses.present_mask
        of = f"for {len(present)} tasks"
        check_shape(factors, present.shape, self, "weigh", of=of, because="a factor for each task, present or not")
        return (factors.where(present, 0) * losses.totals.where(present, 0)).sum()


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
        slopes = _gradients(objectives.sum(), [losses.means])[0][indices]  # of each objective by its mean loss
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
            for parameter, gradient in zip(parameters, _gradients(objectives.sum(), parameters), strict=True):
                parameter.grad = gradient


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
        gradients = torch.stack([_gradients(objective, [leaf])[0].flatten() for objective in objectives])  # (P, n)
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


def _gradients(value: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient in each parameter, zero if the value does not depend on it; the graph is kept."""
    return torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
