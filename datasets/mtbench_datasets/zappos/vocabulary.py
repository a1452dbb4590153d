"""The tasks that UT-Zappos50K is used for in retrieval, and the values that their labels are made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["CATEGORIES", "COLUMNS", "TASKS", "Attribute", "heel_level"]

COLUMNS: Final = ("CID", "Category", "SubCategory", "HeelHeight", "Insole", "Closure", "Gender", "Material", "ToeStyle")
"""Columns of meta-data.csv as released."""
CATEGORIES: Final = ("Boots", "Sandals", "Shoes", "Slippers")
"""Folders that pictures lie in, and values of the column Category."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A task: shoes are near if they have the same value, and far if their values are far apart.

    Attributes:
        name: the name of the task.
        listed: the name in the files of public triplet lists.
        column: the column of meta-data.csv.
        question: the question, for readers.
        value: from a cell to the value; an empty text where nothing is known.
        far: a function that returns True if two different values are far apart.
    """

    name: str
    listed: str
    column: str
    question: str
    value: Callable[[str], str]
    far: Callable[[str, str], bool]


def heel_level(cell: str) -> str:
    """Return the height of a heel as a level, 0 (flat) to 6 (five inches and over); empty for any other text."""
    text = cell.split(";")[0].strip().lower()
    if text in ("flat", "under 1in"):
        return "0" if text == "flat" else "1"
    inches = re.match(r"([1-5])in\b", text)
    return str(1 + int(inches[1])) if inches else ""


def _first(cell: str) -> str:
    return cell.split(";")[0].strip()


def _all(cell: str) -> str:
    return ";".join(sorted({value.strip() for value in cell.split(";")} - {""}))


TASKS: Final = (
    Attribute(
        name="category",
        listed="class",
        column="Category",
        question="the same category of shoe",
        value=_first,
        far=lambda _, __: True,
    ),
    Attribute(
        name="closure",
        listed="closure",
        column="Closure",
        question="the same way to close it, of several the first",
        value=_first,
        far=lambda _, __: True,
    ),
    Attribute(
        name="gender",
        listed="gender",
        column="Gender",
        question="made for the same wearers; far apart if no wearer is the same",
        value=_all,
        far=lambda one, other: not set(one.split(";")) & set(other.split(";")),
    ),
    Attribute(
        name="heel",
        listed="heel",
        column="HeelHeight",
        question="the same height of heel, of seven; far apart if they differ by two levels or more",
        value=heel_level,
        far=lambda one, other: abs(int(one) - int(other)) >= 2,
    ),
)
"""The four tasks in the order of Veit et al. (2017)."""
