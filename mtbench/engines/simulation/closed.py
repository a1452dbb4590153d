"""Closed forms for exponential failures: expected times, and the best interval between checkpoints."""

import math
from collections.abc import Iterator

from mtbench.engines.simulation.setting import Cluster, RunCost

__all__ = ["daly", "expected_failures", "expected_seconds", "young"]


def young(checkpoint: float, mtbf: float) -> float:
    """Return the best seconds of training between two checkpoints to first order (Young 1974).

    Args:
        checkpoint: seconds in which one is written.
        mtbf: seconds between two failures, the mean.
    """
    return math.sqrt(2 * checkpoint * mtbf)


def daly(checkpoint: float, mtbf: float) -> float:
    """Return the best seconds of training between two checkpoints to higher order (Daly 2006).

    The arguments are those of `young`.
    """
    if checkpoint >= 2 * mtbf:
        return mtbf
    part = checkpoint / (2 * mtbf)
    return young(checkpoint, mtbf) * (1 + math.sqrt(part) / 3 + part / 9) - checkpoint


def expected_failures(run: RunCost, every: float, mtbf: float) -> float:
    """Return the number of failures that a run meets on average until it has finished; infinity if it is too large.

    A segment of w seconds that begins after a start of s seconds is repeated, starts included, until no failure falls
    into it: e^(s/M) (e^(w/M) - 1) failures with M seconds between them. Before the first segment is one more start.

    Args:
        every: seconds between two checkpoints.
        mtbf: seconds between two failures of a node, the mean.
    """
    try:
        return sum(math.exp(start / mtbf) * math.expm1(length / mtbf) for start, length in _segments(run, every))
    except OverflowError:
        return math.inf


def expected_seconds(run: RunCost, every: float, cluster: Cluster) -> float:
    """Return the seconds until a run has finished, on average, if it is alone on one node and resumed on that node.

    With no recovery a segment takes M e^(s/M) (e^(w/M) - 1), as in Daly 2006.
    """
    if math.isinf(cluster.mtbf):
        return sum(length for _, length in _segments(run, every))
    return (cluster.mtbf + cluster.recovery) * expected_failures(run, every, cluster.mtbf)


def _segments(run: RunCost, every: float) -> Iterator[tuple[float, float]]:
    """Yield the start that a repetition of each segment needs, and the seconds of the segment."""
    between = run.epochs_between(every)
    whole, rest = divmod(run.epochs, between)
    lengths = [between * run.epoch + run.checkpoint] * whole + [rest * run.epoch + run.end]
    for number, length in enumerate(lengths):
        yield (0.0, run.start + length) if not number else (run.start, length)
