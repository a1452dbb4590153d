"""The common part of networks: each answers several tasks, all of them at once or a given one.

Shapes: B examples in a batch, V inputs per example, T tasks, z the representation: (B * V, features), or a map
(B * V, features, H, W) of backbones for dense tasks.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.balancers.losses import Losses
from mtbench.contract.conformance import Conformance
from mtbench.contract.data.batch import Batch, Inputs
from mtbench.contract.networks.setup import Setup
from mtbench.contract.options import NoOptions, Value
from mtbench.contract.promises import check_output, check_outputs, check_shape, mean_loss
from mtbench.contract.tasks.task import Kind, Layout, Task
from mtbench.errors import PluginError

__all__ = ["Network"]

ANSWERING = ("decode", "training_outputs", "forward")
"""Methods that compute a network's outputs in training."""


class Network(nn.Module, ABC):
    """The common part of both kinds of network; derive from `AllTasksNetwork` or `OneTaskNetwork`.

    There are five ways to ask a network:

    ==================  =====================  ===================================  ===============================
    call                given                  result                               used by
    ==================  =====================  ===================================  ===============================
    forward             inputs, in one-task    the network's own: every task's      the four below
                        networks a task each   output, or that of the task asked
    training_outputs    a batch                per task its outputs, right in the   losses
                                               rows whose label may be used
    all_outputs         inputs                 per task its outputs, all right      evaluation
    used_outputs        a batch                per task its outputs for the         evaluation, where labels are
                                               examples whose label may be used     undefined
    task_output         inputs, a task index   the outputs of one task              counts of operations, probes
    ==================  =====================  ===================================  ===============================

    The names of a network's attributes are the parts whose parameters ``mtbench info`` counts. A method with more than
    one loss overrides `losses`, and gives the others as `Losses.auxiliary`. Requirements that the setup does not meet
    are reported in ``__init__`` by a UsageError: each network is built once at planning, on torch's meta device where
    possible, so that it has no values there.

    Attributes:
        Options: the options class.
        presets: named sets of options, ``td:preset=levi2021``.
        backbone_presets: options that a preset sets on the backbone, if the backbone has them and they are not given.
        paper: the paper that proposes it.
        title: its name in tables for papers, e.g. ``Nash-MTL``; empty for the name on the command line. A plain text,
            which is read without importing anything, or a constant of the module; not inherited.
        bibtex: the BibTeX entries of the papers to cite for it, read likewise; empty for none.
        per_task: the names of the parts that grow with each task; all other parts are shared by the tasks.
        shares_parameters: True if the tasks share any parameter, so that balancing them can matter.
        needs_stages: True if it uses the stages of its backbone, so that a backbone without feature maps does not work.
        conformance: facts that only `mtbench check` reads.
        default_balancer: the name of the balancer that it is trained with if none is given; empty for the balancer with
            the role ``reference``.
        role: ``single-task baseline`` if it trains each task as it would be trained alone, so that gains over
            single-task networks are relative to it; ``reference`` for the one network that balancers are compared on;
            empty for all others. A plain text, which is read without importing anything and is not inherited.
        kinds: the kinds of task that it works on; empty for all.
        phases: names of the phases of its training, in order, and the names of the parts that are trained in each; each
            phase has the epochs of the training protocol. Empty for one phase in which everything is trained.
        layouts: forms of output that it can give, see `Kind.layout`; with ``map`` it must work for z that is a map.
        task_map_name: name of the map that `task_map` returns, for captions, e.g. ``lowest stream map``; empty if there
            is no map. An attribute of the instance where it depends on options.
        modulated_by: the name of the part whose parameters (T, ...) contain a vector per task that modulates the shared
            layers; records keep the distances between these vectors. Empty if there is no such part.
        last_shared_part: the name of the part that ends in the last layer that tasks share; see `last_shared_layer`.
        one_task: True if it answers one task per input; then it is a `OneTaskNetwork`.
    """

    Options: ClassVar[type[Any]] = NoOptions
    presets: ClassVar[Mapping[str, Mapping[str, Value]]] = {}
    backbone_presets: ClassVar[Mapping[str, Mapping[str, Value]]] = {}
    paper: ClassVar[str] = ""
    title: ClassVar[str] = ""
    bibtex: ClassVar[str] = ""
    per_task: ClassVar[frozenset[str]] = frozenset()
    conformance: ClassVar[Conformance] = Conformance()
    kinds: ClassVar[tuple[type[Kind], ...]] = ()
    phases: ClassVar[Mapping[str, frozenset[str]]] = {}
    layouts: ClassVar[frozenset[Layout]] = frozenset({"vector"})
    shares_parameters: ClassVar[bool] = True
    needs_stages: ClassVar[bool] = False
    default_balancer: ClassVar[str] = ""
    modulated_by: ClassVar[str] = ""
    role: ClassVar[str] = ""
    last_shared_part: ClassVar[str] = "backbone"
    task_map_name: str = ""
    one_task: ClassVar[bool]

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__()
        self.options = options
        self.tasks = setup.tasks  # a method may replace them, if it has other kinds of tasks of its own

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Raise UsageError if the options do not fit each other or the tasks; called before anything is built."""

    @abstractmethod
    def all_outputs(self, inputs: Inputs) -> list[Tensor]:
        """Return every task's output (B * V, ...) for each input, in the order of the tasks."""

    @abstractmethod
    def used_outputs(self, batch: Batch) -> list[Tensor]:
        """Return per task the outputs (n * V, ...) for the n examples of the batch whose label may be used, in order.

        Networks compute as little as possible for it. A task without such examples has any tensor of length 0.
        """

    @abstractmethod
    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        """Return the output (B * V, ...) for one task, as cheaply as the network can compute it."""

    @abstractmethod
    def training_outputs(self, batch: Batch) -> list[Tensor]:
        """Return per task a tensor of B * V outputs, which is right in the rows that the batch may use."""

    def task_map(self, inputs: Inputs, index: int) -> Tensor | None:  # noqa: ARG002
        """Return the network's own attention map (B, h, w) float over each input, for one task.

        Larger values mean more attention; maps of different inputs and tasks need not have one scale. A map covers the
        whole input. None if the network has no such map; most networks have none.
        """
        return None

    def losses(self, batch: Batch) -> Losses:
        """Return the losses of a batch in training."""
        return self.mean_losses(self.training_outputs(batch), batch)

    def penalty(self) -> Tensor | None:
        """Return a term added to the loss of every batch, or None."""
        return None

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        """Return the number of times that an input of this batch passes through the network, for the cost ledger."""
        return 1

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that tasks share, in a fixed order."""
        return [value for name, value in self.named_parameters() if name.partition(".")[0] not in self.per_task]

    def alone(self, index: int) -> tuple[str, ...]:  # noqa: ARG002
        """Return the modules that answer only one task, e.g. ``backbones.0``, if tasks share nothing at all.

        With ``select=best-val`` such tasks have an epoch each, as runs of their own would. By default none: one epoch
        for all tasks.
        """
        return ()

    def clip_groups(self, *, shared: bool) -> list[list[nn.Parameter]]:
        """Return the parameters whose gradient is clipped together, group by group; by default all in one group.

        A network in which tasks share nothing overrides it with a group for each task, so that the training of a task
        does not depend on the gradients of the others.

        Args:
            shared: True if the groups contain only the parameters that tasks share or, if each task has a network of
                its own, would share: its backbone.
        """
        return [self.shared_parameters() if shared else list(self.parameters())]

    def last_shared_layer(self) -> nn.Parameter:
        """Return the last shared weight of `last_shared_part` that is trained, where GradNorm measures the gradients.

        If all of that part is frozen it is the last trained weight that tasks share elsewhere, such as one head.

        Raises:
            PluginError: that part has no weight that tasks share, or none is trained anywhere.
        """
        shared = {id(parameter) for parameter in self.shared_parameters()}
        named = [(name.partition(".")[0], parameter) for name, parameter in self.named_parameters()]
        weights = [(part, p) for part, p in named if p.dim() > 1 and id(p) in shared]
        last = [p for part, p in weights if part == self.last_shared_part]
        trained = [p for p in last if p.requires_grad] or [p for _, p in weights if p.requires_grad]
        if not last or not trained:
            lacking = f"no shared weight in its part '{self.last_shared_part}'" if not last else "no trained weight"
            raise PluginError(
                f"network '{type(self).__name__}' has {lacking}.",
                mend="Name the part that ends in the last shared layer as `last_shared_part`.",
                allowed=f"Its parts: {', '.join(dict.fromkeys(part for part, _ in named))}.",
            )
        return trained[-1]

    def lr_factors(self) -> Mapping[str, float]:
        """Return for each part its learning rate as a multiple of the training protocol's, where it is not 1."""
        return {}

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Update settings that change during training; called before each epoch, counted from 0, of `epochs`."""

    def begin_phase(self, name: str) -> None:
        """Start one of `phases`.

        Changes must be part of the state, and an untrained network must be as in the last phase.
        """

    def welcome(self, index: int) -> None:
        """Set the initial values of a new task's parameters, before it is added to a trained network by its index.

        By default they keep their initialization.
        """

    def mean_losses(self, outputs: Sequence[Tensor], batch: Batch) -> Losses:
        """Return per task the mean loss over the labels that the batch may use.

        Args:
            outputs: per task (B * V, ...).
        """
        check_outputs(outputs, self.tasks, self, ANSWERING)
        means, counts, views = [], batch.use.sum(1), batch.inputs_per_example
        for index, (task, output, target) in enumerate(zip(self.tasks, outputs, batch.targets, strict=True)):
            count, size = batch.counts[index], batch.use.shape[1]
            if not count:  # with one task per example most of hundreds of tasks are absent from a batch
                means.append(output.new_zeros(()))
                continue
            check_output(output, target, size, views, task, self, ANSWERING)
            if views > 1:
                output = output.view(-1, views, *output.shape[1:])
            if count < size:
                rows = batch.used_rows[index]
                output, target = output[rows], target[rows]
            means.append(task.scale * mean_loss(task, output, target))
        weights, penalty = self.base_weights(counts), self.penalty()
        check_shape(weights, counts.shape, self, "base_weights", of="", because="a weight for each task")
        if penalty is not None:
            check_shape(penalty, (), self, "penalty", of="", because="one number")
        return Losses(means=torch.stack(means), counts=counts, base_weights=weights, penalty=penalty)

    @abstractmethod
    def base_weights(self, counts: Tensor) -> Tensor:
        """Return the task weights of the unweighted loss (T,), from the number of labels used per task (T,)."""
