"""Pointing: distances of the peaks of a network's maps from the points of the tasks' objects."""

from collections.abc import Mapping
from dataclasses import dataclass

from mtbench.store.record.sealed import Number

__all__ = ["ConstantPoint", "Nearness", "Outcomes", "Pointing", "TaskPointing"]


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """Distances between predicted and true points. Their unit is the side of the image: a distance along x is divided
    by its width, one along y by its height.

    Attributes:
        within_5: the fraction of distances that are at most 0.05.
        within_10: the fraction of distances that are at most 0.1.
        median: the median distance.
    """

    within_5: Number
    within_10: Number
    median: Number


@dataclass(frozen=True, kw_only=True)
class ConstantPoint:
    """The one point for all examples that is best for training: among the centers of 100 x 100 cells the one with the
    most visible training points within 0.1, and among several the one with the most within 0.05.

    Attributes:
        x: its place as a fraction of the image's width.
        y: its place as a fraction of the image's height.
        nearness: its nearness to the visible points of the test split.
    """

    x: Number
    y: Number
    nearness: Nearness


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Numbers of test examples by two criteria: the peak is localized, i.e. at most 0.1 from the point, or elsewhere;
    and the answer is right or wrong.

    Attributes:
        localized_right: right answer with a localized peak.
        localized_wrong: wrong answer with a localized peak.
        elsewhere_right: right answer with a peak elsewhere.
        elsewhere_wrong: wrong answer with a peak elsewhere.
    """

    localized_right: int
    localized_wrong: int
    elsewhere_right: int
    elsewhere_wrong: int


@dataclass(frozen=True, kw_only=True)
class TaskPointing:
    """Pointing of one task on the test split.

    Attributes:
        count: number of examples with a label and a visible point: one that is known and lies in the image.
        peak: nearness of the peaks of the network's map.
        constant: the point to compare with; None if training has no visible point.
        outcomes: None if the kind of task has no right answers, or if predictions are not stored.
    """

    count: int
    peak: Nearness
    constant: ConstantPoint | None = None
    outcomes: Outcomes | None = None


@dataclass(frozen=True, kw_only=True)
class Pointing:
    """Pointing of all tasks with a visible point in the test split.

    Attributes:
        map: the network's map, as in ``lowest stream map``; its peak is the center of its largest place.
        tasks: the pointing of each task, by name.
    """

    map: str
    tasks: Mapping[str, TaskPointing]
