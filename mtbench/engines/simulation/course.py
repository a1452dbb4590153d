"""One course of a grid on nodes that fail, simulated from event to event."""

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.engines.simulation.setting import Cluster, RunCost

__all__ = ["Course", "Outages", "simulate"]

AT_ONCE = 8
"""Failures that are drawn at a time for each node."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """The outcome of one course; times are in seconds.

    Attributes:
        makespan: the time from the start to the end of the last run.
        busy: the times of all attempts together: useful, lost, checkpoints and starts.
        lost: training that was done twice, since a failure came before the next checkpoint.
        checkpoints: the time in which checkpoints were written that were complete.
        starts: the time from the starts of attempts to their first steps.
        attempts: the number of attempts of all runs together.
    """

    makespan: float
    busy: float
    lost: float
    checkpoints: float
    starts: float
    attempts: int


class Outages:
    """The instants at which each node fails, drawn when they are needed.

    They depend on the seed and not on what the nodes do, so that several intervals between checkpoints can be compared
    under the same failures.

    Args:
        cluster: the nodes.
        seed: numbers that the draws depend on.
    """

    def __init__(self, cluster: Cluster, seed: Sequence[int]) -> None:
        self._cluster = cluster
        self._generator = np.random.default_rng(list(seed))
        self._instants: list[list[float]] = [[] for _ in range(cluster.nodes)]

    def instant(self, node: int, number: int) -> float:
        """Return the time of a node's failure of this number, counted from 0; a failed node is away and comes back."""
        if math.isinf(self._cluster.mtbf):
            return math.inf
        while number >= len(self._instants[node]):
            for row, instants in zip(self._draw(), self._instants, strict=True):
                last = instants[-1] + self._cluster.recovery if instants else 0.0
                instants.extend((row + last).tolist())
        return self._instants[node][number]

    def _draw(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        gaps = self._generator.exponential(self._cluster.mtbf, (self._cluster.nodes, AT_ONCE))
        gaps[:, 1:] += self._cluster.recovery
        return np.cumsum(gaps, axis=1)


_KILLED, _FINISHED, _FREE, _NOTICED = range(4)


def simulate(runs: Sequence[RunCost], cluster: Cluster, every: float, outages: Outages) -> Course:
    """Return the course of a grid, whose runs are started in their order and are resumed by the next free node.

    It ends for certain, but not soon where nodes fail more often than checkpoints are written: see
    `mtbench.engines.simulation.closed.expected_failures`.

    Args:
        every: seconds between two checkpoints, see `RunCost.epochs_between`.
        outages: the failures of the nodes.
    """
    between = [run.epochs_between(every) for run in runs]
    finished = [0] * len(runs)
    queue, free = deque(range(len(runs))), deque(sorted([*range(cluster.nodes)] * cluster.runs_per_node))
    failures, back = [0] * cluster.nodes, [0.0] * cluster.nodes
    events: list[tuple[float, int, int, int]] = []
    now = makespan = busy = lost = checkpoints = starts = 0.0
    attempts = 0

    def is_up(node: int) -> bool:
        while (instant := outages.instant(node, failures[node])) <= now:
            back[node] = instant + cluster.recovery
            failures[node] += 1
        return back[node] <= now

    while True:
        while queue and free:
            node = free.popleft()
            if not is_up(node):
                heapq.heappush(events, (back[node], _FREE, node, -1))
                continue
            number = queue.popleft()
            run, epochs = runs[number], runs[number].epochs - finished[number]
            written = epochs // between[number]
            length = run.start + epochs * run.epoch + written * run.checkpoint + run.end
            attempts += 1
            instant = outages.instant(node, failures[node])
            if now + length <= instant:
                busy += length
                starts += run.start
                checkpoints += written * run.checkpoint
                heapq.heappush(events, (now + length, _FINISHED, node, number))
                continue
            spent = instant - now
            trained = max(0.0, spent - run.start)
            segment = between[number] * run.epoch + run.checkpoint
            kept = min(written, int(trained / segment))
            finished[number] += kept * between[number]
            busy += spent
            starts += min(spent, run.start)
            checkpoints += kept * run.checkpoint
            lost += max(0.0, trained - kept * segment)
            heapq.heappush(events, (instant, _KILLED, node, number))
        if not events:
            return Course(
                makespan=makespan, busy=busy, lost=lost, checkpoints=checkpoints, starts=starts, attempts=attempts
            )
        now, kind, node, number = heapq.heappop(events)
        if kind == _FREE:
            free.append(node)
        elif kind == _FINISHED:
            makespan = now
            free.append(node)
        elif kind == _KILLED:
            is_up(node)
            heapq.heappush(events, (back[node], _FREE, node, -1))
            heapq.heappush(events, (now + cluster.notice, _NOTICED, node, number))
        else:
            queue.appendleft(number)
