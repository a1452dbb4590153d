"""Checks that a step without a task leaves the numbers of that task alone unchanged, and uses no loss of it."""

import dataclasses
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtbench.conformance.candidate import BATCH, PROTOCOL, Candidate, Memory, built, state
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import same, some
from mtbench.conformance.world import absent_in_every_other_batch
from mtbench.contract import Batch, Losses, Network, seeded
from mtbench.contract.authors import author_of, place_of
from mtbench.train.assemble import Assembly
from mtbench.train.loop import fit

__all__ = ["ignores_absent", "keeps_absent"]

ABSENT = 1
"""The task, of two, that has no label in every other batch."""
METHODS = ("weigh", "scalar", "objectives", "combine", "backward")
"""Methods of a balancer that receive losses."""


def keeps_absent(candidate: Candidate) -> None:
    """Check this under an optimizer that moves numbers without a gradient: Adam, with weight decay.

    A number in a part that is `per_task` belongs to the absent task alone if only its loss ever has a gradient in it. A
    number of the balancer belongs to it if it has a gradient in no step without the task and in some with it.
    """
    run = built(candidate, absent_in_every_other_batch(64, BATCH))
    watch = _Watch(run)
    fit(run, dataclasses.replace(PROTOCOL, weight_decay=0.01), keeper=Memory(), points=())
    if of_network := watch.moved_alone(watch.parts):
        raise Fault(
            f"{_counted(of_network)} of task 'band{ABSENT}' alone, and move in steps without it. The harness keeps a "
            "parameter that only one task uses, and one in which each task has its own index of one dimension: use "
            "one of these forms."
        )
    if of_balancer := watch.moved_alone(watch.own):
        raise Fault(
            f"{_counted(of_balancer)} of task 'band{ABSENT}' alone, and move in steps without it: name the parameter "
            "(T, ...) in the balancer's `per_task`, or give each task a parameter of its own."
        )


class _Watch:
    """The numbers that move in the steps of a run, and the tasks whose losses have a gradient in them.

    Attributes:
        parts: the parameters in the network's parts that are `per_task`, by name.
        own: the balancer's parameters, by name.
    """

    def __init__(self, run: Assembly) -> None:
        network, balancer = run.network, run.balancer
        self.parts: Mapping[str, Tensor] = {
            name: value
            for name, value in network.named_parameters()
            if name.partition(".")[0] in network.per_task and value.requires_grad
        }
        self.own: Mapping[str, Tensor] = dict(balancer.named_parameters())
        every = [*self.parts.values(), *self.own.values()]
        self.before: dict[Tensor, Tensor] = {}
        self.with_task, self.without, self.moved = (
            {value: torch.zeros_like(value, dtype=torch.bool) for value in every} for _ in range(3)
        )
        self.backward, self.after_step = balancer.backward, balancer.after_step
        balancer.backward, balancer.after_step = self.begins, self.ends  # type: ignore[method-assign]

    def begins(self, network: Network, batch: Batch) -> Losses:
        """Call the balancer's `backward`, after reading the gradients of each task's loss."""
        if self.parts:
            for loss, here, found in zip(
                network.losses(batch).totals, batch.present, (self.without, self.with_task), strict=True
            ):
                if here:
                    self._note(found, loss)
        self.before = {value: value.detach().clone() for value in self.moved}
        losses = self.backward(network, batch)
        for value in self.own.values():
            if value.grad is not None:
                (self.with_task if batch.present[ABSENT] else self.without)[value].logical_or_(value.grad != 0)
        return losses

    def _note(self, found: Mapping[Tensor, Tensor], loss: Tensor) -> None:
        parameters = [value for value in self.parts.values() if value.requires_grad]  # a phase may freeze some
        if not parameters or not loss.requires_grad:
            return
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        for value, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                found[value].logical_or_(gradient != 0)

    def ends(self, network: Network, batch: Batch) -> Losses | None:
        """Call the balancer's `after_step`, and note the tensors that have moved."""
        if not batch.present[ABSENT]:
            for value, before in self.before.items():
                self.moved[value] |= value.detach() != before
        return self.after_step(network, batch)

    def moved_alone(self, parameters: Mapping[str, Tensor]) -> dict[str, int]:
        """Return the number of values that moved without the only task that they belong to, by parameter."""
        moved = {
            name: int((self.moved[value] & self.with_task[value] & ~self.without[value]).sum())
            for name, value in parameters.items()
        }
        return {name: count for name, count in moved.items() if count}


def _counted(moved: Mapping[str, int]) -> str:
    name, count = next(iter(moved.items()))
    others = f" (and some of {len(moved) - 1} others)" if len(moved) > 1 else ""
    return f"{count} numbers of '{name}'{others} are"


def ignores_absent(candidate: Candidate) -> None:
    """Give a task that is absent from a batch the loss NaN instead of 0, and compare the balancer's results.

    Raises:
        Fault: a gradient or the balancer's state differs.
    """
    zero, nan = (_after_two_steps(candidate, loss) for loss in (0.0, torch.nan))
    if changed := [name for name in zero if name not in nan or not same(zero[name], nan[name])]:
        balancer = candidate.method.balancer_class
        raise Fault(
            f"with task 'band1' absent, NaN in the place of its loss changes {some(changed)}: the loss of an absent "
            "task has no meaning. Use those of `losses.present_indices`, or `torch.where(losses.present_mask, ...)`, "
            f"before any sum, mean or softmax over the tasks. {place_of(balancer, author_of(balancer, METHODS))}"
        )


def _after_two_steps(candidate: Candidate, loss: float) -> Mapping[str, Tensor]:
    """Return gradients and state after a batch of all tasks and one without the second, whose loss is replaced."""
    run = built(candidate, absent_in_every_other_batch(64, BATCH))
    network, kept = run.network.train(), run.network.mean_losses

    def replaced(outputs: Sequence[Tensor], batch: Batch) -> Losses:
        losses = kept(outputs, batch)
        return dataclasses.replace(losses, means=torch.where(losses.present_mask, losses.means, loss))

    setattr(network, "mean_losses", replaced)  # noqa: B010  # an instance's own, in the place of a method
    for first in (0, 64 - BATCH):
        rows = torch.arange(first, first + BATCH)
        drawn = rows % (2 if first == 0 else 1) if network.one_task else None
        batch = run.splits["train"].batch(rows, drawn)
        network.zero_grad()
        with seeded(0, "check", "absent"):
            run.balancer.backward(network, batch)
            run.balancer.after_step(network, batch)
    gradients = {
        f"the gradient of {name}": value.grad for name, value in network.named_parameters() if value.grad is not None
    }
    return {**gradients, **state(run)}
