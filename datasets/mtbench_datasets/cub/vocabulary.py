"""The words of CUB-200-2011: parts, colors, levels of certainty, and the 12 groups of colors that are tasks."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

__all__ = ["ATTRIBUTES", "COLORS", "GROUPS", "PARTS", "UNKNOWN", "Certainty", "Group"]

ATTRIBUTES: Final = 312
"""The number of binary attributes that every image is annotated with."""

PARTS: Final = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing", "nape"),
    *("right eye", "right leg", "right wing", "tail", "throat"),
)
"""The parts that have points, in the order of their numbers in the files."""

COLORS: Final = (
    *("blue", "brown", "iridescent", "purple", "rufous", "grey", "yellow", "olive", "green", "pink", "orange"),
    *("black", "white", "red", "buff"),
)
"""The classes 0 to 14 of every task, in the order in which the files number the attributes of a group."""
UNKNOWN: Final = len(COLORS)
"""The class of an image for which no color of the part is marked."""


class Certainty(IntEnum):
    """The level that an annotator gave with an attribute, as certainties.txt numbers them."""

    NOT_VISIBLE = 1
    GUESSING = 2
    PROBABLY = 3
    DEFINITELY = 4


@dataclass(frozen=True, kw_only=True)
class Group:
    """A task: the color of a part.

    Attributes:
        name: the task's name.
        attribute: the beginning of its attributes' names, before ``::`` and the color.
        parts: the parts in `PARTS` that its point is taken from, the preferred one first.
        colors: the colors of `COLORS` that it has attributes for.
    """

    name: str
    attribute: str
    parts: tuple[str, ...]
    colors: tuple[str, ...] = COLORS


def _group(name: str, attribute: str = "", parts: tuple[str, ...] = (), without: str = "") -> Group:
    return Group(
        name=name,
        attribute=f"has_{attribute or name}_color",
        parts=parts or (name,),
        colors=tuple(color for color in COLORS if color != without),
    )


GROUPS: Final = (
    _group("wing", parts=("left wing", "right wing")),
    _group("upper-tail", "upper_tail", parts=("tail",)),
    _group("throat"),
    _group("nape"),
    _group("leg", parts=("left leg", "right leg")),
    _group("eye", parts=("left eye", "right eye"), without="iridescent"),
    _group("back"),
    _group("breast"),
    _group("forehead"),
    _group("belly"),
    _group("crown"),
    _group("bill", parts=("beak",)),
)
"""The tasks, in the order of Levi & Ullman (2020), Table 4.

Of the 16 groups of colors in attributes.txt those of the upper parts, the under parts, the under tail and the whole
bird (primary) have no part of their own.
"""
