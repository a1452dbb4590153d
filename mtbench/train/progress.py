"""The progress of a run, told while it runs."""

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a run.

    Attributes:
        epoch: finished epochs.
        epochs: all epochs.
        step: steps finished in all epochs so far.
        steps: steps of the whole run.
        loss: the mean of the tasks' latest training losses.
        metric: what `score` is, e.g. ``accuracy``.
        score: at the last evaluation the mean of the tasks' metrics or, where they have unlike ones, that of the first
            task; None before the first.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    metric: str
    score: float | None
