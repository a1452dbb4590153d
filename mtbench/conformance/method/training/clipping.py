"""The check that tasks which share nothing are clipped separately."""

from collections import Counter

import torch
from torch import nn

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import plain

__all__ = ["clips_apart"]

TASKS = 3


def clips_apart(candidate: Candidate) -> None:
    """Check that each parameter is in one of `Network.clip_groups`, and that no task trains parameters of two.

    If tasks share no parameters, no two tasks may train parameters of one group.
    """
    run = built(candidate, plain(TASKS, 32))
    network = run.network
    groups = network.clip_groups(shared=False)
    times = Counter(parameter for group in groups for parameter in group)
    for name, parameter in network.named_parameters():
        if times[parameter] != 1:
            raise Fault(f"'{name}' is in {times[parameter]} of its `clip_groups`, not in one.")
    trained: list[set[int]] = []
    drawn = torch.arange(32) % TASKS if network.one_task else None
    for loss in network.losses(run.splits["train"].batch(torch.arange(32), drawn)).totals:
        trained.append({number for number, group in enumerate(groups) if _reaches(loss, group)})
    for task, own in zip(run.tasks, trained, strict=True):
        if len(own) > 1:
            raise Fault(f"task '{task.name}' trains parameters of {len(own)} of its `clip_groups`: they are one group.")
    if not network.shares_parameters and len(set().union(*trained)) < len(run.tasks):
        raise Fault(
            f"its tasks share no parameters, and {len(run.tasks)} of them have {len(set().union(*trained))} "
            "`clip_groups`: with --set clip=1 the training of each would depend on the gradients of the others."
        )


def _reaches(loss: torch.Tensor, group: list[nn.Parameter]) -> bool:
    trained = [parameter for parameter in group if parameter.requires_grad]
    if not trained:
        return False
    found = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in found)
