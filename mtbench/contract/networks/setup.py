"""The parts that a network is built from, and their initial weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from mtbench.contract.networks.backbone import Backbone
from mtbench.contract.randomness import seeded
from mtbench.contract.tasks.task import Task

__all__ = ["Setup"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The parts that a network is built from.

    Modules are initialized from streams with names, so that the backbone of a seed is the same for every method, and
    adding a part to a method does not change its other parts. A module that is made outside of these streams draws from
    one stream of the seed for the whole network: its weights are reproducible, but they change with each part that is
    added before it. `mtbench check` names such modules.

    Attributes:
        tasks: the tasks in the dataset's order.
        backbone_class: the class of the backbone.
        backbone_options: an instance of its options class.
        input_shape: shape of one input, (C, H, W).
        foreground: True if the dataset has foreground maps, see `Split.foreground`.
        points: True if the dataset has a point of each task's object, see `Split.points`.
        seed: the seed of the run.
        separate: True if each task has a whole network for itself, so that there is one head on each backbone.
    """

    tasks: tuple[Task, ...]
    backbone_class: type[Backbone]
    backbone_options: Any
    input_shape: tuple[int, ...]
    foreground: bool = False
    points: bool = False
    seed: int
    separate: bool = False

    def build_backbone(self) -> Backbone:
        """Return a backbone with the seed's initial weights, the same at every call."""
        with self.initialized("trunk"):
            return self.backbone_class(self.backbone_options, self.input_shape)  # type: ignore[call-arg]

    def head(self, backbone: Backbone, outputs: int, name: str = "head") -> nn.Module:
        """Return a head that fits the backbone, with the initial weights that belong to the name.

        A name with a slash, such as ``branch/TASK``, names one of several heads on one backbone, which is made by
        `Backbone.branch` unless the tasks are separate.
        """
        with self.initialized(name):
            return backbone.branch(outputs) if "/" in name and not self.separate else backbone.head(outputs)

    @contextmanager
    def initialized(self, name: str) -> Iterator[None]:
        """Let torch, NumPy and Python draw from the stream of that name within the block, e.g. initial weights."""
        with seeded(self.seed, "init", name):
            yield
