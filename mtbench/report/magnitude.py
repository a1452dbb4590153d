"""How large a method is: its weights, and what an answer takes, in which its training has no part."""

from dataclasses import dataclass

from mtbench.report.comparison import MethodRuns

__all__ = ["Magnitude", "magnitude"]


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
    """How large a method is, by the last of its records; None before a run has finished."""
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
