"""Checks with few tasks, many, and tasks that are absent."""

import dataclasses

import torch

from mtbench.conformance.candidate import BATCH, PROTOCOL, Candidate, Memory, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import check_finite, one_epoch, reached, some
from mtbench.conformance.world import absent_in_every_other_batch, plain, undefined
from mtbench.train.cost import parts
from mtbench.train.loop import fit

__all__ = ["grows_as_declared", "survives_absence", "works_with_any_tasks"]


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
        raise Fault(f"{some(stray)} get a gradient in a batch where no task that is present depends on them.")


def grows_as_declared(candidate: Candidate) -> None:
    """Parts in `per_task` have more parameters with each task, all others as many as before unless in `grows`."""
    counts = [
        {part.name: part.total for part in parts(built(candidate, plain(tasks, 2)).network)} for tasks in (2, 3, 4)
    ]
    network = candidate.method.network_class
    for name in counts[0]:
        sizes = [count.get(name, 0) for count in counts]
        if name in network.per_task and not sizes[0] < sizes[1] < sizes[2]:
            raise Fault(f"part '{name}' is declared in `per_task`, and has {sizes} parameters for 2, 3, 4 tasks.")
        if name not in network.per_task | network.conformance.grows and len(set(sizes)) > 1:
            raise Fault(
                f"part '{name}' has {sizes} parameters for 2, 3, 4 tasks; declare it in `per_task`, or by "
                "`conformance = Conformance(grows=...)` if the tasks share it."
            )
