"""From the losses of T tasks to one gradient: how tasks that share parameters are weighed against each other.

A balancer acts on the P tasks that are present in a batch alone. Its whole state must be in ``state_dict()``; what is
no tensor of a fixed shape goes there by ``get_extra_state`` and ``set_extra_state``.

- `LossWeighting` gives each loss a factor, and `Scalarization` makes one number of them: one backward pass.
- `GradientBalancer` combines the tasks' gradients in the parameters that they share: a backward pass per task.
- `RepresentationBalancer` combines them in the representation that they share: one backward pass of the encoder.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.conformance import Conformance
from mtbench.contract.losses import Losses
from mtbench.contract.network import Network, SharedRepresentation
from mtbench.contract.options import NoOptions, Value
from mtbench.contract.promises import check_combined, check_objectives, check_shape
from mtbench.contract.split import Batch
from mtbench.contract.task import Task

__all__ = ["Balancer", "Combined", "GradientBalancer", "LossWeighting", "RepresentationBalancer", "Scalarization"]


class Balancer(nn.Module, ABC):
    """Turns a batch into gradients. Derive from one of the classes below, unless none of them fits.

    Attributes:
        Options: its options class.
        paper: where it comes from.
        presets: named sets of options, ``famo:preset=paper``: what its authors train with.
        protocol_presets: by preset the settings of the training protocol that it changes for this method alone. Tables
            mark such a row.
        requires: what kind of network it can balance, e.g. `SharedRepresentation`.
        needs_shared_parameters: whether it makes sense only where tasks share parameters.
        extra: what must be installed besides, in the words that pip is given, e.g. ``mine[solver]``; a plain text,
            which ``mtbench list`` reads without importing anything.
        extra_modules: the modules that come with `extra`, a tuple of plain texts likewise.
        needs_positive_losses: whether it has no meaning where a loss, auxiliary terms included, is negative, as where
            it takes logarithms, roots or ratios of losses. A loss of exactly 0 must do no harm. An attribute of the
            instance where options decide. Planning refuses tasks whose kind `has_negative_losses`, and training ends at
            the first negative loss.
        conformance: facts that `mtbench check` alone reads.
        role: ``reference`` for the one balancer that takes the unweighted loss, else empty; see `Network.role`.
        learning_rate: of its own parameters at the start, if it has any; it falls as the network's does.
        per_task: the names of its own parameters (T, ...) that have a row for each task: those of tasks that are absent
            from a step do not move, whatever the optimizer remembers. One parameter for each task needs no name here.
        forwards: how many forward passes a step takes besides the network's own. Those in `after_step` leave the
            network's buffers, such as running statistics, as they were: the loop restores them.
        gradient_scale: the protocol's, for balancers that combine gradients.
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

        There was none before. What is balanced is `Losses.totals`: the mean losses with the auxiliary terms of networks
        that have any. The result's `Losses.weights` hold the coefficient that the gradient of each task's total has in
        the gradient of the shared parameters; they are recorded.
        """

    def after_step(self, network: Network, batch: Batch) -> Losses | None:  # noqa: ARG002
        """Called when the optimizer has taken the step of this batch.

        Returns:
            the losses that were measured here, which are held to what those of a step are; None if there are none.
        """
        return None

    def end_epoch(self, means: Tensor) -> None:
        """Note the tasks' mean training losses (T,) in the epoch that ends, auxiliary terms included.

        They are NaN for a task that was absent.
        """


class Scalarization(Balancer):
    """A balancer that makes one number of the losses, and then takes one ordinary backward pass."""

    @abstractmethod
    def scalar(self, losses: Losses) -> Tensor:
        """Return the number whose gradient is taken, from the losses of the tasks that are present; no penalty in
        it."""

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
    """A balancer that weighs the losses. Factors equal to `Losses.share` weigh nothing: that is uniform."""

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
        weights: (P,) the coefficients of the tasks' gradients in `shared`; None where it is no such sum.
        solved: whether `shared` meets the condition that defines the rule; false where an iteration ended short of it.
            The steps that were not solved are counted, and reported.
    """

    shared: Tensor
    own: Tensor | None = None
    weights: Tensor | None = None
    solved: bool = True


class GradientBalancer(Balancer):
    """A balancer that combines the tasks' gradients in the parameters that they share. Derive and give `combine`.

    The training protocol's `gradient_scale` sets the length of the combined gradient. ``native``: as `combine` gives
    it. ``sum``: divided by `gain`, so that where all tasks have one gradient it is that of the unweighted loss.
    ``matched``: at each step as long as the gradient of the unweighted loss. With the latter two the task-specific
    parameters follow: they get the gradient of the unweighted loss or, where `combine` weights it, its weights scaled
    like the shared gradient.
    """

    needs_shared_parameters = True

    @abstractmethod
    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        """Return the combined gradient.

        Args:
            gradients: (P, n), a row for each task that is present.
            losses: (P,) their objectives, detached.
            indices: (P,) int64, the indices of their tasks.
        """

    def gain(self, count: int) -> float | None:  # noqa: ARG002
        """Return the length of the combined gradient of that many equal gradients, relative to one of them.

        None if that depends on how long they are, so that no constant makes up for it.
        """
        return None

    def objectives(self, losses: Losses, indices: Tensor) -> Tensor:
        """Return what is differentiated for each task that is present (P,): its loss, or a function of it."""
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
        """Return `combine` on the training protocol's scale, and the factors of the tasks' own gradients (P,).

        The weights of the result are those of all tasks' mean losses (T,).
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
        """Return the weights of the objectives (P,) as those of the mean losses of all tasks (T,), 0 where absent."""
        if combined.weights is None:
            return combined
        weights = torch.zeros_like(losses.means).index_copy(0, losses.present_indices, combined.weights * slopes)
        return dataclasses.replace(combined, weights=weights)

    def learn(self, objectives: Tensor) -> None:
        """Leave the gradient of the summed objectives (P,) in ``.grad`` of the balancer's own parameters."""
        parameters = list(self.parameters())
        if parameters:
            for parameter, gradient in zip(parameters, _gradients(objectives.sum(), parameters), strict=True):
                parameter.grad = gradient


class RepresentationBalancer(GradientBalancer):
    """A balancer that applies a rule for gradients to the gradients in the representation z that tasks share.

    These bound those in the parameters of the encoder, which is walked back once. ``matched`` measures lengths in z.

    Attributes:
        Rule: the class of the rule, a `GradientBalancer` that is built from the same options.
        rule: an instance of it, which holds the state.
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
    """Return the gradient in each parameter, zero where it has no part in the value; the graph is kept."""
    return torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
