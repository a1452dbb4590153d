"""The check that all others depend on."""

import dataclasses

import torch

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.world import plain
from mtbench.contract.promises import check_losses, check_metrics
from mtbench.train.evaluate import evaluate

__all__ = ["takes_a_step"]


def takes_a_step(candidate: Candidate) -> None:
    """Check that steps and evaluations return tensors of the contract's shapes.

    They are made with all labels, with some and with none of a task.

    Raises:
        PluginError: a shape differs; the text has the task, both shapes and the line of the author's file.
    """
    run = built(candidate, plain(2, 24))
    check_metrics(run.network.tasks)  # whose kinds a network may have replaced
    every = run.splits["train"]
    without = torch.arange(24) % 3 == 0  # the second task
    some = dataclasses.replace(every, defined=every.defined & ~(without[:, None] & torch.tensor([False, True])))
    for split, rows in ((every, torch.arange(24)), (some, torch.arange(24)), (some, without.nonzero().squeeze(1))):
        drawn = split.defined[rows].float().argmax(1) if run.network.one_task else None
        run.network.train().zero_grad()
        check_losses(run.balancer.backward(run.network, split.batch(rows, drawn)), run.balancer)
    for split in (every, some):
        evaluate(run.network, split)
