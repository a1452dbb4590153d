"""From the losses of T tasks to one gradient: how tasks that share parameters are weighed against each other.

A balancer acts on the tasks that are present in a batch alone. Its whole state must be in ``state_dict()``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from mtbench.contract.dataset import Batch
from mtbench.contract.network import Losses, Network
from mtbench.contract.options import NoOptions
from mtbench.contract.task import Task

__all__ = ["Balancer", "LossWeighting"]


class Balancer(nn.Module, ABC):
    """Turns a batch into gradients. Derive from `LossWeighting` if all it does is weigh the losses.

    Attributes:
        Options: its options class.
        paper: where it comes from.
        requires: what kind of network it can balance, e.g. `SharedRepresentation`.
        needs_sharing: whether it makes sense only where tasks share parameters.
    """

    Options: ClassVar[type[Any]] = NoOptions
    paper: ClassVar[str] = ""
    requires: ClassVar[type[Network]] = Network  # type: ignore[type-abstract]
    needs_sharing: ClassVar[bool] = False

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.options = options
        self.tasks = tuple(tasks)

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Raise UsageError if the options do not fit each other or the tasks; called before anything is built."""

    @abstractmethod
    def backward(self, network: Network, batch: Batch) -> Losses:
        """Compute the losses of a batch and leave the balanced gradient in ``.grad`` of the network's parameters,
        where there was none before."""


class LossWeighting(Balancer):
    """A balancer that weighs the losses, and then takes one ordinary backward pass."""

    @abstractmethod
    def weigh(self, losses: Losses) -> Tensor:
        """(T,) the factors of the mean losses; those of absent tasks do not matter."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        total = (self.weigh(losses) * losses.means).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]
        return losses
