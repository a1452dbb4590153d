"""The sign of losses: a balancer accepts negative ones, or declares that it needs positive ones."""

import dataclasses

import torch
from torch import Tensor

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import plain
from mtbench.contract import Batch, Losses
from mtbench.train.network.buffers import after_step

__all__ = ["takes_any_sign"]

EXAMPLES = 32
STEPS = 3
GONE = 1e-6
"""Factor below which weights count as 0 relative to those at positive losses: the task is no longer learned."""


def takes_any_sign(candidate: Candidate) -> None:
    """Compare the weights of tasks whose losses are -1 and 2 with those for losses of 9 and 12.

    Nothing is checked if the balancer declares `needs_positive_losses`, does not take the losses from the network, or
    has negative weights for the latter too.
    """
    if built(candidate, plain(2, 2)).balancer.needs_positive_losses:
        return
    above, below = (_weights(candidate, torch.tensor(values)) for values in ((9.0, 12.0), (-1.0, 2.0)))
    for there, here in zip(above, below, strict=True):
        if not (there >= 0).all():
            return
        if not (here >= 0).all() or here.max() < GONE * there.max():
            first, second = here.tolist()
            raise Fault(
                f"if the losses of two tasks are -1 and 2, their weights are {first:.3g} and {second:.3g}: declare "
                "`needs_positive_losses = True`, so that negative losses are refused."
            )


def _weights(candidate: Candidate, values: Tensor) -> list[Tensor]:
    """Return the weights (2,) that the balancer reports in some steps in which the losses have these values (2,)."""
    run = built(candidate, plain(2, EXAMPLES))
    network, kept, asked = run.network, run.network.losses, []

    def losses(batch: Batch) -> Losses:
        asked.append(True)
        found = kept(batch)
        means = found.means - found.means.detach() + values.to(found.means)
        return dataclasses.replace(found, means=means, auxiliary=None)

    setattr(network, "losses", losses)  # noqa: B010  # an instance's own, in the place of a method
    tasks = torch.arange(EXAMPLES) % 2 if network.one_task else None
    batch = run.splits["train"].batch(torch.arange(EXAMPLES), tasks)
    torch.manual_seed(0)
    weights = []
    for _ in range(STEPS):
        network.zero_grad()
        found = run.balancer.backward(network, batch)
        after_step(run.balancer, network, batch)
        run.balancer.end_epoch(values.double())
        if asked and found.weights is not None:
            weights.append(found.weights)
    return weights
