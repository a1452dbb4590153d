"""Reports of progress during training, at intervals."""

import time
from collections.abc import Callable, Sequence

from mtbench.contract import Losses, Task
from mtbench.train.progress import Progress

__all__ = ["Heartbeat"]

INTERVAL = 0.5
"""Seconds between two reports."""


class Heartbeat:
    """A reporter of progress, twice a second and at the end of each epoch."""

    def __init__(
        self, watch: Callable[[Progress], None], tasks: Sequence[Task], *, epochs: int, score: float | None
    ) -> None:
        self.watch, self.epochs, self.score = watch, epochs, score
        self.metric = tasks[0].kind.metrics[0].name
        self.last = 0.0

    def step(self, epoch: int, step: int, steps: int, losses: Losses) -> None:
        """Report after `step` of the `steps` of an epoch (counted from 0)."""
        now = time.monotonic()
        if now - self.last < INTERVAL and step < steps:
            return
        self.last = now
        self.watch(
            Progress(
                epoch=epoch + (step == steps),
                epochs=self.epochs,
                step=epoch * steps + step,
                steps=self.epochs * steps,
                loss=float(losses.means.detach()[losses.present_mask].mean()),
                metric=self.metric,
                score=self.score,
            )
        )
