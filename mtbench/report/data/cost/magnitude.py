"""The size of a method: its weights, and what an answer takes, in which its training has no part."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from mtbench.plan.counting import count_work, outline, single_task_network, weights
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.report.data.comparison import MethodRuns

__all__ = ["Magnitude", "counted_magnitude", "magnitude"]


@dataclass(frozen=True, kw_only=True)
class Magnitude:
    """The size of a network and of its answers.

    Attributes:
        weights: trainable numbers of the whole network, biases left out.
        relative: likewise, over those of the single-task network.
        macs_per_task: multiply-accumulates to answer one task for one example.
        macs_per_input: multiply-accumulates to answer every task for one example.
    """

    weights: int
    relative: float
    macs_per_task: int
    macs_per_input: int


def magnitude(method: MethodRuns | None) -> Magnitude | None:
    """Return the size of a method, by the last of its records; None before a run has finished."""
    records = list(method.records.values()) if method else []
    if not records:
        return None
    latest = records[-1]
    return Magnitude(
        weights=latest.parameters.weights,
        relative=latest.parameters.weights / latest.parameters.single_weights,
        macs_per_task=latest.cost.macs_per_task,
        macs_per_input=latest.cost.macs_per_input,
    )


@cache
def counted_magnitude(method: str, dataset: str) -> Magnitude:
    """Count the size of a method on a dataset before anything has run, without memory for its weights.

    Args:
        method, dataset: texts as in a suite.

    Raises:
        UsageError, PluginError: one of them does not exist, or they do not fit each other.
    """
    opened, chosen = parse_dataset(dataset).open(Path()), parse_method(method)
    default = parse_backbone(opened.default_backbone)
    setup = chosen.on(opened.default_backbone).setup(opened, seed=0)
    with torch.device("meta"):
        single = weights(single_task_network(default.setup(opened, seed=0)))
    whole, work = weights(outline(chosen, setup)), count_work(chosen, setup)
    return Magnitude(weights=whole, relative=whole / single, macs_per_task=work.per_task, macs_per_input=work.per_input)
