"""The check that all others rest on."""

import torch

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.method.states import drawn
from mtbench.conformance.world import World, plain, undefined
from mtbench.train.evaluate import evaluate

__all__ = ["takes_a_step"]


def takes_a_step(candidate: Candidate) -> None:
    """Check that one step and one evaluation can be made, with all labels and with some, and that what they give has
    the shapes of the contract.

    Raises:
        PluginError: a shape is another one; the text has the task, both shapes and the line of the author's file.
    """
    for world in (plain(2, 8), undefined(2, 24)):
        _step(candidate, world)


def _step(candidate: Candidate, world: World) -> None:
    run = built(candidate, world)
    count = len(world.split)
    run.network.train()
    run.balancer.backward(run.network, run.splits["train"].batch(torch.arange(count), drawn(run, count)))
    evaluate(run.network, run.splits["test"])
