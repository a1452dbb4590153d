"""The phases of a run: one, or two if a task is held back and then added to the trained network."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from mtbench.contract import Balancer, Batch, Inputs, Losses, Network, NoOptions, Split, Task, TrainingProtocol
from mtbench.errors import UsageError
from mtbench.store.record import PhaseInfo
from mtbench.train.assemble import Assembly
from mtbench.train.batches.order import Visits, visits
from mtbench.train.optimizer.ownership import owned

__all__ = ["Alone", "Phase", "phases", "some_inputs"]

LOOKED_AT = 16
"""The number of inputs that are used to find the numbers that belong to only one task."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a run in which the same numbers are trained on the same tasks.

    Attributes:
        name: ``training`` if it is the only one; ``first``, then ``own`` or ``all`` as the training protocol's `adds`,
            if a task is added; else one of the network's own `phases`.
        start: the number of epochs before it.
        epochs: the number of its epochs.
        shown: the indices of the tasks that are trained on.
        adds: the index of the task that is added to the network at its beginning, or None.
        split: the training examples, in which no target of any other task is defined.
        whole: (M, T) bool on the CPU, the label mask of all examples of which `split` is a fraction.
        balancer: the balancer of the tasks' losses.
        frozen: for each parameter of the network that has frozen numbers their mask, None if that is the whole
            parameter; other parameters are trained, if the network itself has a gradient for them.
    """

    name: str
    start: int
    epochs: int
    shown: tuple[int, ...]
    adds: int | None
    split: Split
    whole: Tensor
    balancer: Balancer
    frozen: Mapping[str, Tensor | None]

    @property
    def end(self) -> int:
        """The number of finished epochs at its end."""
        return self.start + self.epochs

    def visits(self, tasks: Sequence[Task], *, seed: int, epoch: int, one_task: bool) -> Visits:
        """Return the examples that an epoch of the run visits; on the CPU."""
        kind = tasks[0].kind
        return visits(kind, self.defined, self.whole, self.shown, seed=seed, epoch=epoch, one_task=one_task)

    @cached_property
    def defined(self) -> Tensor:
        """(N, T) bool on the CPU, the mask of defined targets of the split."""
        return self.split.defined.cpu()

    def trained(self, network: Network) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters of which any number is trained, by name."""
        for name, parameter in network.named_parameters():
            if parameter.requires_grad and (name not in self.frozen or self.frozen[name] is not None):
                yield name, parameter

    def still(self, network: Network) -> list[nn.Parameter]:
        """Return the parameters that are frozen as a whole.

        Frozen numbers of other parameters belong to tasks that are absent from every step of the phase, which
        `mtbench.train.optimizer.absence` keeps.
        """
        return [network.get_parameter(name) for name, mask in self.frozen.items() if mask is None]

    def enter(self, network: Network) -> None:
        """Put the network in training mode, without gradients in parameters that are frozen as a whole.

        So no balancer uses these gradients.

        Modules whose parameters are all frozen and that have buffers, such as running statistics, which training would
        change, stay in evaluation mode. While a task is added alone, a module with buffers and no parameter counts as
        frozen.
        """
        network.train()
        if not self.frozen:
            return
        for parameter in self.still(network):
            parameter.requires_grad_(False)
            parameter.grad = None
        for module in network.modules():
            members = [not parameter.requires_grad for parameter in module.parameters()]
            has_buffers = next(module.buffers(recurse=False), None) is not None
            if has_buffers and all(members) and (members or self.adds is not None):
                module.training = False

    def leave(self, network: Network) -> None:
        """Restore the gradients that `enter` has switched off."""
        for parameter in self.still(network):
            parameter.requires_grad_()

    def info(self, network: Network) -> PhaseInfo:
        """Return the facts about it for a record."""
        counts = {}
        for name, parameter in self.trained(network):
            mask = self.frozen.get(name)
            counts[name] = parameter.numel() if mask is None else int((~mask).sum())
        return PhaseInfo(
            name=self.name,
            epochs=self.epochs,
            parameters=sum(counts.values()),
            weights=sum(count for name, count in counts.items() if not name.endswith("bias")),
            tasks=tuple(network.tasks[index].name for index in self.shown),
        )


def phases(run: Assembly, protocol: TrainingProtocol) -> tuple[Phase, ...]:
    """Return the phases of a run, in order. The network must not have been trained yet.

    With ``adds`` the last task is held back in the first phase: its labels are undefined, and the numbers that belong
    to it alone do not move. In the second phase it is new: with ``own`` only these numbers are trained, on its labels
    alone, and with ``all`` everything, on every task. Either phase has the training protocol's epochs, and so has each
    phase of a network that declares phases.

    Raises:
        UsageError: nothing belongs to the new task alone, or a phase has no label to learn from.
    """
    last, network = len(run.tasks) - 1, run.network
    every = tuple(range(last + 1))
    whole = run.splits["train"].defined.cpu() if run.whole is None else run.whole
    only = Phase(
        name="training",
        start=0,
        epochs=protocol.epochs,
        shown=every,
        adds=None,
        split=run.splits["train"],
        whole=whole,
        balancer=run.balancer,
        frozen={},
    )
    if network.phases:
        return tuple(_labeled(phase, run) for phase in _own_phases(only, run))
    if protocol.adds == "none":
        return (_labeled(only, run),)
    own = owned(run.network, last, some_inputs(run), seed=run.setup.seed)
    first = dataclasses.replace(only, name="first", shown=every[:-1], frozen={n: _mask(own[n]) for n in own})
    second = dataclasses.replace(only, name=protocol.adds, start=protocol.epochs, adds=last)
    if protocol.adds == "own":
        if not own:
            raise UsageError(
                f"protocol setting 'adds' is 'own', and in network '{type(network).__name__}' no parameter belongs to "
                f"task '{run.tasks[last].name}' alone.",
                mend="Use --set adds=all, which trains every parameter.",
            )
        frozen = {
            name: _mask(~own[name]) if name in own else None
            for name, parameter in network.named_parameters()
            if parameter.requires_grad and (name not in own or not own[name].all())
        }
        alone = Alone(run.tasks, [parameter for name, parameter in network.named_parameters() if name in own])
        second = dataclasses.replace(second, shown=(last,), balancer=alone, frozen=frozen)
    return _labeled(first, run), _labeled(second, run)


def _own_phases(only: Phase, run: Assembly) -> Iterator[Phase]:
    """Yield the phases that the network declares, from the one that it would have without them."""
    network = run.network
    shared = {id(parameter) for parameter in network.shared_parameters()}
    for number, (name, parts) in enumerate(network.phases.items()):
        trainable = {key: value for key, value in network.named_parameters() if value.requires_grad}
        trained = {key: value for key, value in trainable.items() if key.partition(".")[0] in parts}
        balances = any(id(parameter) in shared for parameter in trained.values())
        yield dataclasses.replace(
            only,
            name=name,
            start=number * only.epochs,
            balancer=run.balancer if balances else Alone(run.tasks, list(trained.values())),
            frozen={key: None for key in trainable if key not in trained},
        )


class Alone(Balancer):
    """A balancer for phases that train no shared parameter, as while a task is added alone.

    It takes the gradient of the unweighted loss in the parameters that are trained.
    """

    def __init__(self, tasks: Sequence[Task], parameters: Sequence[nn.Parameter]) -> None:
        super().__init__(NoOptions(), tasks)
        self.trained = list(parameters)  # in a list, for they are the network's and none of its own

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        total = (losses.base_weights * losses.totals).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward(inputs=self.trained)  # type: ignore[no-untyped-call]
        return losses.weighted(losses.base_weights)


def some_inputs(run: Assembly) -> Inputs:
    """Return the inputs of the training split that are used to find the numbers that belong to only one task."""
    split = run.splits["train"]
    return split.batch(torch.arange(min(LOOKED_AT, len(split)), device=split.defined.device)).inputs


def _mask(frozen: Tensor) -> Tensor | None:
    """Return the mask, or None if it is a whole parameter."""
    return None if frozen.all() else frozen


def _labeled(phase: Phase, run: Assembly) -> Phase:
    """Return the phase with targets defined only for the tasks that are trained.

    Raises:
        UsageError: no target is left.
    """
    shown = torch.zeros(len(run.tasks), dtype=torch.bool)
    shown[list(phase.shown)] = True
    split, defined = phase.split, phase.split.defined
    if not shown.all():
        split = dataclasses.replace(split, defined=defined & shown.to(defined.device))
    phase = dataclasses.replace(phase, split=split, whole=phase.whole & shown)
    if not len(phase.visits(run.tasks, seed=run.setup.seed, epoch=phase.start, one_task=False)):
        names = ", ".join(f"'{run.tasks[index].name}'" for index in phase.shown)
        of = "" if shown.all() else f" of task{'s' * (len(phase.shown) > 1)} {names}"
        raise UsageError(f"none of the {len(split)} training examples has a label{of}, so that nothing can be learned.")
    return phase
