"""What a method builds: a network that answers several tasks, all of them at once or one that is asked for.

Shapes: B examples in a batch, V inputs per example, T tasks, z the representation: (B * V, features), or a map
(B * V, features, H, W) of backbones for dense tasks.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from mtbench.contract.backbone import Backbone
from mtbench.contract.dataset import Batch, Inputs
from mtbench.contract.options import NoOptions, Value
from mtbench.contract.randomness import seeded
from mtbench.contract.task import Layout, Task

__all__ = ["Alias", "AllTasksNetwork", "Losses", "Network", "OneTaskNetwork", "Setup", "SharedRepresentation"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a network is built from. Modules are initialised from streams named by what they are, so that the trunk of
    a seed is the same for every method, and adding a part to a method leaves its other parts as they were.

    Attributes:
        tasks: in the dataset's order.
        backbone: the class of the trunk.
        backbone_options: an instance of its options class.
        input_shape: of one input, (C, H, W).
        foreground: whether the dataset knows where each task's object is.
        seed: the seed of the run.
    """

    tasks: tuple[Task, ...]
    backbone: type[Backbone]
    backbone_options: Any
    input_shape: tuple[int, ...]
    foreground: bool = False
    seed: int

    def trunk(self) -> Backbone:
        """A backbone with the seed's initial weights, the same at every call."""
        with self.initialised("trunk"):
            return self.backbone(self.backbone_options, self.input_shape)  # type: ignore[call-arg]

    def head(self, trunk: Backbone, outputs: int, name: str = "head") -> nn.Module:
        """A head that fits the trunk, with the initial weights that belong to the name."""
        with self.initialised(name):
            return trunk.head(outputs)

    @contextmanager
    def initialised(self, name: str) -> Iterator[None]:
        """Modules made within the block draw their initial weights from the stream of that name."""
        with seeded(self.seed, "init", name):
            yield


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What a batch lost, per task.

    Attributes:
        means: (T,) the mean loss over the labels that were used; 0 for a task with none.
        counts: (T,) int64, how many labels were used.
        share: (T,) what each mean counts for in the plain loss of the batch, ``sum(share * means)``.
        penalty: a term that belongs to no task, such as a regulariser on weights.
    """

    means: Tensor
    counts: Tensor
    share: Tensor
    penalty: Tensor | None = None

    @property
    def present(self) -> Tensor:
        """(T,) bool, which tasks have a label in this batch."""
        return self.counts > 0


class Alias:
    """A second name for a composition, e.g. ``moo`` for ``branches+mgda-ub``; its docstring says what it is."""

    stands_for: ClassVar[str]
    paper: ClassVar[str] = ""


class Network(nn.Module, ABC):
    """The common part of both protocols; derive from `AllTasksNetwork` or `OneTaskNetwork`.

    The names of a network's own attributes are the parts that ``mtbench info`` counts the parameters of. A method with
    more than one loss overrides `losses`. What does not fit the setup is refused in ``__init__`` by a UsageError: each
    network is built once at planning.

    Attributes:
        Options: its options class.
        presets: named sets of options, ``td:preset=levi2021``.
        paper: where it comes from.
        per_task: the names of the parts that grow with each task; what is in no such part is shared by the tasks.
        shares: whether the tasks share any parameter, so that balancing them can matter.
        needs_stages: whether it reaches into the stages of its backbone, so that one without feature maps will not do.
        grows: the names of parts that grow with the tasks although the tasks share them.
        works_on: the names of the backbones that it works on; empty for all, or all with stages if it needs those.
        layouts: forms of output that it can give, see `Kind.layout`; with ``map`` it must work where z is a map.
        learns_within: steps in which it learns 64 images of 2 tasks to 95 % accuracy, for `mtbench check`.
        balancer: the balancer it is trained with when none is asked for.
        one_task: which of the two protocols it follows.
    """

    Options: ClassVar[type[Any]] = NoOptions
    presets: ClassVar[Mapping[str, Mapping[str, Value]]] = {}
    paper: ClassVar[str] = ""
    per_task: ClassVar[frozenset[str]] = frozenset()
    grows: ClassVar[frozenset[str]] = frozenset()
    works_on: ClassVar[tuple[str, ...]] = ()
    layouts: ClassVar[frozenset[Layout]] = frozenset({"vector"})
    learns_within: ClassVar[int] = 300
    shares: ClassVar[bool] = True
    needs_stages: ClassVar[bool] = False
    balancer: ClassVar[str] = "uniform"
    one_task: ClassVar[bool]

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__()
        self.options = options
        self.tasks = setup.tasks

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Raise UsageError if the options do not fit each other or the tasks; called before anything is built."""

    @abstractmethod
    def every_task(self, inputs: Inputs) -> list[Tensor]:
        """Every task's output (B * V, ...) for each input, in the order of the tasks."""

    @abstractmethod
    def answer(self, inputs: Inputs, index: int) -> Tensor:
        """The output (B * V, ...) for one task, as cheaply as the network can give it."""

    @abstractmethod
    def outputs(self, batch: Batch) -> list[Tensor]:
        """Per task a tensor of B * V outputs, of which the rows that the batch may use are right."""

    def losses(self, batch: Batch) -> Losses:
        """The losses of a batch in training."""
        return self.mean_losses(self.outputs(batch), batch)

    def penalty(self) -> Tensor | None:
        """A term added to the loss of every batch, or None."""
        return None

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        """How often an input of this batch goes through the network: the cost ledger's forward passes."""
        return 1

    def shared_parameters(self) -> list[nn.Parameter]:
        """The parameters that tasks share, in a fixed order."""
        return [value for name, value in self.named_parameters() if name.partition(".")[0] not in self.per_task]

    def last_shared_layer(self) -> nn.Parameter:
        """The weight of the last layer of the trunk that tasks share: where GradNorm measures their gradients."""
        shared = {id(parameter) for parameter in self.shared_parameters()}
        weights = {name: p for name, p in self.named_parameters() if id(p) in shared and p.dim() > 1}
        trunk = [weight for name, weight in weights.items() if name.startswith("backbone.")]
        return (trunk or list(weights.values()))[-1]

    def lr_factors(self) -> Mapping[str, float]:
        """By part, what its learning rate is as a multiple of the protocol's, where it is not 1."""
        return {}

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Called before each epoch, counted from 0, of `epochs`: for what changes as training goes on."""

    def welcome(self, index: int) -> None:
        """Called before a task, by its index, is added to a trained network: sets what its own parameters start from.

        By default they stay as they were initialised.
        """

    def mean_losses(self, outputs: Sequence[Tensor], batch: Batch) -> Losses:
        """Per task the mean loss over the labels that the batch may use.

        Args:
            outputs: per task (B * V, ...).
        """
        means = []
        for task, output, target, use in zip(self.tasks, outputs, batch.targets, batch.use, strict=True):
            if batch.views > 1:
                output = output.view(-1, batch.views, *output.shape[1:])
            rows = use.nonzero().squeeze(1)
            if len(rows) < len(use):
                output, target = output[rows], target[rows]
            means.append(task.scale * task.kind.losses(output, target).mean() if len(rows) else output.new_zeros(()))
        counts = batch.use.sum(1)
        return Losses(means=torch.stack(means), counts=counts, share=self.share(counts), penalty=self.penalty())

    @abstractmethod
    def share(self, counts: Tensor) -> Tensor:
        """(T,) what each task's mean loss counts for in the plain loss, from the labels used per task (T,)."""


class AllTasksNetwork(Network):
    """``forward(inputs)`` gives every task's output; each label of an image is used.

    Its plain loss is the mean over the tasks that are present.
    """

    one_task = False

    @abstractmethod
    def forward(self, inputs: Inputs) -> list[Tensor]:
        """Per task (B * V, ...), from inputs (B * V, ...)."""

    def every_task(self, inputs: Inputs) -> list[Tensor]:
        return cast(list[Tensor], self(inputs))

    def answer(self, inputs: Inputs, index: int) -> Tensor:
        return self.every_task(inputs)[index]

    def outputs(self, batch: Batch) -> list[Tensor]:
        return cast(list[Tensor], self(batch.inputs))

    def share(self, counts: Tensor) -> Tensor:
        present = (counts > 0).float()
        return present / present.sum().clamp(min=1)


class SharedRepresentation(AllTasksNetwork):
    """An all-tasks network whose tasks meet in one tensor z: ``forward = decode(encode(inputs))``.

    Balancers that work in the space of the representation (MGDA-UB) need this; they take their losses from `decode`.
    """

    @abstractmethod
    def encode(self, inputs: Inputs) -> Tensor:
        """z, from inputs (B * V, ...)."""

    @abstractmethod
    def decode(self, z: Tensor) -> list[Tensor]:
        """Per task (B * V, ...), from z."""

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return self.decode(self.encode(inputs))


class OneTaskNetwork(Network):
    """``forward(inputs, task)`` answers one task per input; one head, as wide as the widest task, serves them all.

    In training one task is drawn for each image; evaluation asks for each task in turn. Its plain loss is the mean
    over the labels used, whichever task they belong to.
    """

    one_task = True

    @abstractmethod
    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        """(B * V, widest), from inputs (B * V, ...) and the index of the task asked for (B * V,) int64."""

    def every_task(self, inputs: Inputs) -> list[Tensor]:
        return [self.answer(inputs, index) for index in range(len(self.tasks))]

    def answer(self, inputs: Inputs, index: int) -> Tensor:
        return self.fitted(self(inputs, self.asking(inputs, index)))[index]

    def outputs(self, batch: Batch) -> list[Tensor]:
        if batch.drawn is None:
            return self.every_task(batch.inputs)
        return self.fitted(self(batch.inputs, batch.drawn.repeat_interleave(batch.views)))

    def passes(self, batch: Batch) -> int:
        return len(self.tasks) if batch.drawn is None else 1

    def share(self, counts: Tensor) -> Tensor:
        return counts / counts.sum().clamp(min=1)

    @staticmethod
    def asking(inputs: Inputs, index: int) -> Tensor:
        """The index of one task, once per input: (B * V,) int64."""
        first = inputs if isinstance(inputs, Tensor) else next(iter(inputs.values()))
        return torch.full((len(first),), index, device=first.device)

    def fitted(self, output: Tensor) -> list[Tensor]:
        """The output (B * V, widest) as each task reads it, without the surplus columns: a list of T views."""
        return [output[:, : task.kind.output_size] for task in self.tasks]

    @property
    def widest(self) -> int:
        """The width of the one head."""
        return max(task.kind.output_size for task in self.tasks)
