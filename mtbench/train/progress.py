"""The progress of a run, reported while it runs."""

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
        metric: the name of the metric of `score`, e.g. ``accuracy``.
        score: the mean of the tasks' metrics at the last evaluation or, if the metrics differ, that of the first task;
            None before the first evaluation.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    metric: str
    score: float | None
