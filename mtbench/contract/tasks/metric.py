"""Metrics: numbers that measure how well a task is solved."""

from dataclasses import dataclass

__all__ = ["Metric"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that measures how well a task is solved.

    Attributes:
        name: e.g. ``accuracy``.
        unit: e.g. ``%``; empty for a number without unit.
        higher_is_better: the direction of the metric.
        in_delta: True if it is part of the relative gain over single-task networks (Δm); a primary metric always is.
            False for metrics that repeat another one in another form, such as balanced accuracy beside accuracy, and
            for those whose ratio has no meaning, such as R².
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True
    in_delta: bool = True
