"""Parameters of absent tasks: the numbers that a step must not change.

A gradient of 0 is not enough. An optimizer moves a row of a tensor whose gradient is 0 because of its state from
earlier steps, by weight decay and, under muon, with the rest of the matrix.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mtbench.contract import Balancer, Batch, Network
from mtbench.train.assemble import Assembly
from mtbench.train.optimizer.ownership import Owner, Stacked, Whole, owners
from mtbench.train.phases import Phase, some_inputs

__all__ = ["Absence", "absences"]


@dataclass(frozen=True)
class Absence:
    """The parameters that belong to single tasks, which a step without their task leaves unchanged.

    Attributes:
        whole: parameters of one task each, with the index of the task.
        stacked: parameters of all tasks, with the dimension along which each task has its own index.
    """

    whole: Sequence[tuple[nn.Parameter, int]] = ()
    stacked: Sequence[tuple[nn.Parameter, int]] = ()

    def drop_gradients(self, batch: Batch) -> None:
        """Remove the gradients of absent tasks from their parameters, which a penalty may have left there.

        The optimizer skips a parameter without a gradient, and a row of zeros adds nothing to a norm.
        """
        if all(batch.present):
            return
        for parameter, task in self.whole:
            if not batch.present[task]:
                parameter.grad = None
        absent = ~batch.use.any(1)
        for parameter, dimension in self.stacked:
            if parameter.grad is not None:
                parameter.grad.masked_fill_(_along(absent, parameter, dimension), 0)

    @contextmanager
    def held(self, optimizer: torch.optim.Optimizer, batch: Batch) -> Iterator[None]:
        """Restrict the optimizer within the block to the rows of tasks that are present, in parameters and its state.

        A count of steps of a whole tensor is advanced.

        The rows that are present are copied forth and back, for any number of absent tasks; without absent tasks
        nothing is done. Muon makes a matrix of the present rows orthogonal, as without the other tasks.
        """
        if all(batch.present):
            yield
            return
        # As many as are known to be present, without waiting for a GPU: the present rows come first.
        present = batch.use.any(1).byte().argsort(descending=True, stable=True)[: sum(batch.present)]
        with ExitStack() as stack:
            for parameter, dimension in self.stacked:
                if parameter.grad is not None:
                    stack.enter_context(_narrowed(optimizer, parameter, dimension, present))
            yield


def absences(run: Assembly, plan: Sequence[Phase], *, one_task: bool) -> dict[str, Absence]:
    """Return the parameters of absent tasks to keep in each phase of a run, by the name of the phase.

    The network must not have been trained yet, so that a resumed run finds the same parameters. If each step has labels
    of every task the search is skipped.

    Args:
        one_task: True if one task is drawn per image.
    """
    none = {phase.name: Absence() for phase in plan}
    every = all(bool(phase.split.defined.all()) and not phase.split.augment for phase in plan)
    if len(run.tasks) == 1 or (every and not one_task):
        return none
    network, find_owners = run.network, partial(owners, run.network, some_inputs(run), seed=run.setup.seed)
    if not network.phases:
        found = find_owners()
        return {phase.name: _absence(network, phase.balancer, found) for phase in plan}
    before, kept = copy.deepcopy(network.state_dict()), {}
    for phase in plan:
        network.begin_phase(phase.name)
        kept[phase.name] = _absence(network, phase.balancer, find_owners())
    network.load_state_dict(before)
    return kept


def _absence(network: Network, balancer: Balancer, found: Mapping[str, Owner]) -> Absence:
    named = [(network.get_parameter(name), owner) for name, owner in found.items()]
    balancers = [part for part in balancer.modules() if isinstance(part, Balancer)]  # with the rule of another one
    own = [
        (value, Stacked(0)) for each in balancers for name, value in each.named_parameters() if name in each.per_task
    ]
    return Absence(
        whole=[(parameter, owner.task) for parameter, owner in named if isinstance(owner, Whole)],
        stacked=[(parameter, owner.dimension) for parameter, owner in [*named, *own] if isinstance(owner, Stacked)],
    )


def _along(absent: Tensor, parameter: Tensor, dimension: int) -> Tensor:
    """Return the mask of tasks (T,) in a shape that broadcasts over the parameter along its dimension of size T."""
    return absent.view(-1, *[1] * (parameter.dim() - dimension - 1))


@contextmanager
def _narrowed(
    optimizer: torch.optim.Optimizer, parameter: nn.Parameter, dimension: int, rows: Tensor
) -> Iterator[None]:
    """Restrict a parameter, its gradient and its optimizer state to some rows within the block."""
    value, gradient, state = parameter.data, parameter.grad, optimizer.state[parameter]
    assert gradient is not None
    memory = _memory(state, value)
    parameter.data = value.index_select(dimension, rows)
    parameter.grad = gradient.index_select(dimension, rows)
    state.update({name: kept.index_select(dimension, rows) for name, kept in memory.items()})
    try:
        yield
    finally:
        state = optimizer.state[parameter]  # which may be another object since the first step
        for name, moved in _memory(state, parameter.data).items():
            # State that did not exist before has no trace of earlier steps, and starts from 0 in every optimizer.
            kept = memory[name] if name in memory else torch.zeros_like(value)
            state[name] = kept.index_copy_(dimension, rows, moved)
        parameter.data, parameter.grad = value.index_copy_(dimension, rows, parameter.data), gradient


def _memory(state: Mapping[str, Any], value: Tensor) -> dict[str, Tensor]:
    """Return the tensors of a parameter's optimizer state that have an entry for each of its numbers."""
    return {name: kept for name, kept in state.items() if isinstance(kept, Tensor) and kept.shape == value.shape}
