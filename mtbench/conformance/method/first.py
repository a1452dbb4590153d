"""The check that all others rest on."""

import torch
from torch import Tensor

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.world import World, absent_in_every_other_batch, plain, undefined
from mtbench.train.evaluate import evaluate

__all__ = ["takes_a_step"]


def takes_a_step(candidate: Candidate) -> None:
    """Check that steps and evaluations can be made, with all labels, with some and with none of a task, and that what
    they give has the shapes of the contract.

    Raises:
        PluginError: a shape is another one; the text has the task, both shapes and the line of the author's file.
    """
    for world in (plain(2, 8), undefined(2, 24)):
        _step(candidate, world, torch.arange(len(world.split)))
    _step(candidate, absent_in_every_other_batch(16, 8), torch.arange(8, 16))


def _step(candidate: Candidate, world: World, rows: Tensor) -> None:
    run = built(candidate, world)
    split = run.splits["train"]
    drawn = split.defined[rows].float().argmax(1) if run.network.one_task else None
    run.network.train()
    run.balancer.backward(run.network, split.batch(rows, drawn))
    evaluate(run.network, split)
