"""The runs of a grid and the nodes that they are trained on, as the simulation sees them."""

import math
from dataclasses import dataclass

__all__ = ["NEVER", "Cluster", "RunCost"]

NEVER = math.inf
"""The interval between checkpoints of a grid without any."""


@dataclass(frozen=True, kw_only=True)
class RunCost:
    """The time that a run takes on a node that does not fail.

    Attributes:
        epochs: the number of epochs.
        epoch: seconds of an epoch with the evaluation after it, the mean of all.
        start: seconds from the start of an attempt to its first step.
        checkpoint: seconds in which a checkpoint is written.
        end: seconds of the last evaluation, after the last epoch.
    """

    epochs: int
    epoch: float
    start: float = 0.0
    checkpoint: float = 0.0
    end: float = 0.0

    def __post_init__(self) -> None:
        times = (self.epoch, self.start, self.checkpoint, self.end)
        if self.epochs < 1 or not all(0 <= time < math.inf for time in times) or not self.epoch:
            raise ValueError(f"a run needs an epoch that takes time, and no time may be negative: {self}")

    @property
    def useful(self) -> float:
        """The seconds of its training and evaluation."""
        return self.epochs * self.epoch + self.end

    def epochs_between(self, every: float) -> int:
        """Return the number of epochs from one checkpoint to the next.

        Args:
            every: a checkpoint is written at the first end of an epoch so many seconds after the last one; 0 for one
                after each epoch, `NEVER` for none.
        """
        if every == NEVER:
            return self.epochs + 1
        return min(self.epochs + 1, max(1, math.ceil(every / self.epoch - 1e-9)))


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Nodes that fail independently of each other, at times that are distributed exponentially.

    Attributes:
        nodes: the number of nodes.
        mtbf: seconds between two failures of one node, the mean; infinity for nodes that never fail.
        recovery: seconds that a failed node is away.
        runs_per_node: runs at a time on one node; a failure ends them all.
        notice: seconds after a failure in which nobody resumes its runs, since they still count as being trained.
    """

    nodes: int
    mtbf: float
    recovery: float = 0.0
    runs_per_node: int = 1
    notice: float = 0.0

    def __post_init__(self) -> None:
        times = (self.recovery, self.notice)
        if self.nodes < 1 or self.runs_per_node < 1 or not self.mtbf > 0 or not all(0 <= t < math.inf for t in times):
            raise ValueError(f"there must be a node, and no time may be negative: {self}")
