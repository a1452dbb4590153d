"""The pace of training on this machine: timed steps of the training loop itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from mtbench.contract import TrainingProtocol
from mtbench.train.assemble import Assembly
from mtbench.train.loop import fit

__all__ = ["Pace", "now", "pace"]

WARM = 3
"""Number of steps that are not timed: they pay for memory and caches."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Steps that were timed one after another.

    Attributes:
        steps: the number of steps.
        seconds: the seconds that all of them took together.
    """

    steps: int
    seconds: float


def pace(
    run: Assembly,
    protocol: TrainingProtocol,
    *,
    seconds: float,
    at_least: int = 1,
    warm: int = WARM,
    begin: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Pace:
    """Train a run for some seconds, and time the steps: those of the first phase, without evaluation.

    The time between two epochs belongs to the steps, except the points of the curve.

    Args:
        protocol: the training protocol, with enough epochs, since `fit` returns after the last one.
        at_least: the number of steps that are timed even if they take longer.
        warm: the number of steps before them that are not timed.
        begin: called when everything is ready, before the first timed step.
        clock: a function that returns the time in seconds.

    Raises:
        UsageError, PluginError, NonFiniteLoss, NegativeLoss: see `fit`.
    """
    device = run.splits["train"].defined.device
    taken, started = -warm, 0.0

    def check_stop() -> None:
        nonlocal taken, started
        if taken == 0:
            begin()
            started = now(device, clock)
        elif taken >= at_least and clock() - started >= seconds:
            raise _EnoughError
        taken += 1

    try:
        fit(run, protocol, keeper=_Nothing(), points=(), check_stop=check_stop)
    except _EnoughError:
        return Pace(steps=taken, seconds=now(device, clock) - started)
    raise AssertionError("the protocol has too few epochs")


def now(device: torch.device, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of a clock after all pending work of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()


class _EnoughError(Exception):
    pass


class _Nothing:
    """A keeper that keeps nothing."""

    def restore(self) -> None:
        return None

    def keep(self, *_: object) -> None:
        pass
