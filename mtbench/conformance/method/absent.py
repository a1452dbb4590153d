"""The check that the loss of an absent task, which means nothing, is used for nothing."""

import dataclasses
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtbench.conformance.candidate import BATCH, Candidate, built, state
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import same, some
from mtbench.conformance.world import absent_in_every_other_batch
from mtbench.contract import Batch, Losses, seeded
from mtbench.contract.authors import author_of, place_of

__all__ = ["ignores_absent"]

METHODS = ("weigh", "scalar", "objectives", "combine", "backward")
"""Methods of a balancer that are given losses."""


def ignores_absent(candidate: Candidate) -> None:
    """Give a task that is absent from a batch the loss NaN instead of 0, and compare what the balancer makes of it.

    Raises:
        Fault: a gradient or the balancer's state is another one.
    """
    zero, nan = (_after_two_steps(candidate, loss) for loss in (0.0, torch.nan))
    if changed := [name for name in zero if name not in nan or not same(zero[name], nan[name])]:
        balancer = candidate.method.balancer_class
        raise Fault(
            f"with task 'band1' absent, NaN in the place of its loss changes {some(changed)}: the loss of an absent "
            "task means nothing. Use those of `losses.present_indices`, or `torch.where(losses.present_mask, ...)`, "
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
