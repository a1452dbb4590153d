"""The runs of each element of an array: one, or several short ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch

from mtbench.engines.engine import Job
from mtbench.engines.slurm.script import MARGIN
from mtbench.plan.spec import RunSpec
from mtbench.train.cost.speeds import Speeds, seconds_at

__all__ = ["grouped", "seconds_of"]

FULL = 600.0
"""Seconds that an element of short runs is to last, beside which the start of a job counts little."""

Run = TypeVar("Run")


def grouped(
    runs: Sequence[Run], seconds: Callable[[Run], float | None], *, at_a_time: int, limit: int | None
) -> list[list[Run]]:
    """Return the runs of each element, in their order.

    An element has several runs if these take about `FULL` seconds together. There are not fewer elements than may run
    at a time.

    Args:
        runs: the runs.
        seconds: a function that returns the seconds of a run; None if they are unknown. Such a run is alone.
        at_a_time: the number of elements that may run at a time.
        limit: the seconds of the time limit, if there is one; an element fills half of it at most.
    """
    full = FULL if limit is None else min(FULL, max(0, limit - MARGIN) / 2)
    most = max(1, len(runs) // at_a_time)
    elements: list[list[Run]] = []
    filled = full
    for run in runs:
        its = seconds(run)
        lasts = full if its is None else its
        if not elements or len(elements[-1]) >= most or filled + lasts > full:
            elements.append([])
            filled = 0.0
        elements[-1].append(run)
        filled += lasts
    return elements


def seconds_of(kinds: Sequence[tuple[RunSpec, Sequence[Job]]]) -> Mapping[Job, float]:
    """Return the seconds of runs by the slowest of the stored speeds of their kinds, of whatever machine.

    Runs of kinds without a stored speed are left out; nothing is measured on the machine that submits.
    """
    speeds = Speeds(torch.device("cpu"))
    known = speeds.known()
    found: dict[Job, float] = {}
    for spec, alike in kinds:
        kind = speeds.kind(spec)
        fitting = [speed for key, speed in known.items() if key.startswith(kind) and speed.fits(spec)]
        if fitting:
            found.update(dict.fromkeys(alike, max(seconds_at(speed, spec) for speed in fitting)))
    return found
