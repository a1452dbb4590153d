"""From the losses of T tasks to one gradient: rules that balance tasks which share parameters.

A balancer acts only on the P tasks that are present in a batch. Its whole state must be in ``state_dict()``; state that
is no tensor of a fixed shape is stored there by ``get_extra_state`` and ``set_extra_state``.

- `LossWeighting` gives each loss a factor, and `Scalarization` makes one number of the losses: one backward pass.
- `GradientBalancer` combines the tasks' gradients in the parameters that they share: a backward pass per task.
- `RepresentationBalancer` combines the gradients in the shared representation: one backward pass of the encoder.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.balancers.losses import Losses
from mtbench.contract.conformance import Conformance
from mtbench.contract.data.batch import Batch
from mtbench.contract.networks.network import Network
from mtbench.contract.options import NoOptions, Value
from mtbench.contract.tasks.task import Task

__all__ = ["Balancer", "gradients_in"]


class Balancer(nn.Module, ABC):
    """A rule that turns a batch into gradients. Derive from one of the classes below, unless none of them fits.

    Attributes:
        Options: the options class.
        paper: the paper that proposes it.
        title: its name in tables for papers, e.g. ``Nash-MTL``; empty for the name on the command line. A plain text,
            which is read without importing anything, or a constant of the module; not inherited.
        bibtex: the BibTeX entries of the papers to cite for it, read likewise; empty for none.
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
    title: ClassVar[str] = ""
    bibtex: ClassVar[str] = ""
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


def gradients_in(value: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient in each parameter, zero if the value does not depend on it; the graph is kept."""
    return torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
