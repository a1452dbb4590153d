"""Metrics: numbers that measure how well a task is done."""

from dataclasses import dataclass

__all__ = ["Metric"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that measures how well a task is done.

    Attributes:
        name: e.g. ``accuracy``.
        unit: e.g. ``%``; empty for a plain number.
        higher_is_better: its direction.
        in_delta: whether it is a part of the relative gain over single-task networks (Δm); a primary metric always
            is. False for metrics that say the same as another one in another way, such as balanced accuracy beside
            accuracy, and for those that a ratio makes no sense of, such as R².
    """

    name: str
    unit: str = ""
    higher_is_better: bool = True
    in_delta: bool = True
