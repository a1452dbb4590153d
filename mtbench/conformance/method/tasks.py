"""Checks with few tasks, many tasks, absent tasks, and added tasks."""

import dataclasses
from collections.abc import Mapping

import torch

from mtbench.conformance.candidate import BATCH, PROTOCOL, Candidate, Memory, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import check_finite, one_epoch, reached, same, some
from mtbench.conformance.world import absent_in_every_other_batch, plain, undefined
from mtbench.contract.authors import place_of
from mtbench.train.cost.ledger import parts
from mtbench.train.loop import fit

__all__ = ["grows_as_declared", "survives_absence", "welcomes", "works_with_any_tasks"]


def works_with_any_tasks(candidate: Candidate) -> None:
    for tasks in (1, 2, 9):
        one_epoch(candidate, plain(tasks, 32), f"with {tasks} task{'s' * (tasks > 1)}")
    for tasks in (2, 9):
        one_epoch(candidate, undefined(tasks, 64), f"with undefined labels of {tasks} tasks")


def survives_absence(candidate: Candidate) -> None:
    run = built(candidate, absent_in_every_other_batch(64, BATCH))
    protocol = dataclasses.replace(PROTOCOL, epochs=15)
    curve = fit(run, protocol, keeper=Memory(), points=(1, *range(11, 16))).curve
    check_finite(run, "with a task absent from every other batch")
    before, *late = (point.train_losses["band0"] for point in curve)
    after = min(late)  # on so few images the loss jumps at times, up as well
    if not after < before:
        raise Fault(
            f"with a task absent from every other batch the loss of the other goes from {before:.3g} to {after:.3g}."
        )
    run.network.train().zero_grad()
    batch = run.splits["train"].batch(
        torch.arange(48, 64), torch.zeros(16, dtype=torch.long) if run.network.one_task else None
    )
    losses = run.balancer.backward(run.network, batch)
    depends = reached(run, run.network.losses(batch).totals[0])
    touched = [name for name, value in run.network.named_parameters() if value.grad is not None and value.grad.any()]
    if losses.penalty is None and (stray := sorted(set(touched) - depends)):
        raise Fault(f"{some(stray)} get a gradient in a batch in which no present task depends on them.")


def grows_as_declared(candidate: Candidate) -> None:
    """Check that only parts in `per_task` or `grows` have more parameters with each task."""
    counts = [
        {part.name: part.total for part in parts(built(candidate, plain(tasks, 2)).network)} for tasks in (2, 3, 4)
    ]
    network = candidate.method.network_class
    sizes = {name: [count.get(name, 0) for count in counts] for count in counts for name in count}
    grown = {
        name: found
        for name, found in sizes.items()
        if len(set(found)) > 1 and name not in network.per_task | network.conformance.grows
    }
    still = {name: found for name, found in sizes.items() if name in network.per_task and not _rises(found)}
    faults = []
    if grown:
        faults.append(
            "with 2, 3, 4 tasks these parts have unequal numbers of parameters and are undeclared: "
            f"{_listed(grown)}. Name task-specific parts in `per_task`, and shared parts that grow in "
            "`conformance = Conformance(grows=...)`."
        )
    if still:
        faults.append(f"with 2, 3, 4 tasks these parts do not grow, and are declared in `per_task`: {_listed(still)}.")
    if faults:
        raise Fault(" ".join(faults))


def _rises(sizes: list[int]) -> bool:
    return sizes[0] < sizes[1] < sizes[2]


def _listed(parts: Mapping[str, list[int]]) -> str:
    return ", ".join(f"'{name}' {sizes}" for name, sizes in parts.items())


def welcomes(candidate: Candidate) -> None:
    """Check that `welcome` sets values in the parts that grow with each task, and in no others.

    Raises:
        Fault: a tensor has another shape, or a tensor of a shared part has another value.
    """
    network = built(candidate, plain(2, 2)).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.welcome(1)
    after, place = network.state_dict(), place_of(network, "welcome")
    reshaped = [name for name in before if name not in after or after[name].shape != before[name].shape]
    if reshaped or (reshaped := sorted(after.keys() - before.keys())):
        name = reshaped[0]
        shapes = [tuple(values[name].shape) if name in values else "not there" for values in (before, after)]
        raise Fault(
            f"`welcome` changes the shape of {some(reshaped)} ('{name}' was {shapes[0]} and is {shapes[1]}): it sets "
            f"values, and the network has the parts of all tasks from the start. {place}"
        )
    own = network.per_task
    if shared := [name for name in before if name.partition(".")[0] not in own and not same(before[name], after[name])]:
        raise Fault(
            f"`welcome` changes {some(shared)}, which the other tasks share: it may set only parameters of the new "
            f"task, in parts that are named in `per_task`. {place}"
        )
