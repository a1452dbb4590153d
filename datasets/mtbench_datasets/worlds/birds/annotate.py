"""Annotations of pictures, with the uncertainty and the errors of human annotators."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from .species import Plumage, Species
from .vocabulary import CONFUSED, GROUPS, PART_GROUP, PARTS

__all__ = ["Answers", "annotate", "locate"]

Shown = list[tuple[str, int]]
"""Values that are said to be present, each with a certainty."""
SMALL = 0.003
"""Fraction of the picture below which a part is a small one, of which people are less certain."""
SURE = {4: 70, 3: 22, 2: 8}
LESS_SURE = {4: 46, 3: 34, 2: 20}
WRONG, SILENT, DOUBLE, HEDGED = 0.03, 0.03, 0.8, 0.08
"""Probabilities that people take a color for its neighbor, name none, name the second color too, add a neighbor."""
GUESSED = 0.15
"""Probability that people guess the color of a part that is not visible."""
MISSED, IMAGINED = 0.02, 0.01
"""Probabilities that a visible part is not marked, and that a hidden one is."""
CLICK = 0.006
"""Standard deviation of marks along each axis, as a fraction of that side of the picture."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Annotators' answers about a picture, in the order of the attributes.

    Attributes:
        present: (312,) 0 or 1.
        certainty: (312,) 1 to 4.
        seconds: (312,) time that it took.
    """

    present: NDArray[np.int64]
    certainty: NDArray[np.int64]
    seconds: NDArray[np.float64]


def annotate(
    species: Species, plumage: Mapping[str, Plumage], areas: Mapping[str, float], seen: set[str], draws: Draws
) -> Answers:
    """Return the annotations of a picture.

    Args:
        species: the bird's species.
        plumage: its colors.
        areas: fraction of the picture that each part takes.
        seen: parts that are visible.
        draws: random numbers for this.
    """
    visible = {group: any(p in seen for p in PARTS if PART_GROUP[p] == group) for group in PART_GROUP.values()}
    area = {group: max(areas[p] for p in PARTS if PART_GROUP[p] == group) for group in PART_GROUP.values()}
    present, certainty, seconds = [], [], []
    for group, values in GROUPS.items():
        if group in PART_GROUP.values():
            shown, level = _colors(group, species, plumage, visible[group], area[group], draws)
        elif group.endswith("_color"):
            shown, level = _summary(group, plumage, draws)
        else:
            shown, level = _trait(species.traits[group], values, draws)
        levels = dict(shown)
        present += [int(value in levels) for value in values]
        certainty += [levels.get(value, level) for value in values]
        seconds += [round(draws.uniform(0.8, 25), 3)] * len(values)
    return Answers(present=np.array(present), certainty=np.array(certainty), seconds=np.array(seconds))


def locate(
    points: Mapping[str, tuple[float, float]], size: tuple[int, int], draws: Draws
) -> list[tuple[float, float, int]]:
    """Return x, y in pixels and 1 for each of the 15 parts that people mark, 0, 0 and 0 for the others."""
    height, width = size
    found = []
    for part in PARTS:
        noise = draws.array(4) - 0.5
        missed, imagined = draws.chance(MISSED), draws.chance(IMAGINED)
        place = points.get(part)
        if place is None and imagined and points:
            place = draws.pick([points[name] for name in PARTS if name in points])
        elif missed:
            place = None
        if place is None:
            found.append((0.0, 0.0, 0))
            continue
        # The sum of two numbers of -.5 to .5 has the variance 1/6.
        x = place[0] + CLICK * width * 6**0.5 * float(noise[0] + noise[1])
        y = place[1] + CLICK * height * 6**0.5 * float(noise[2] + noise[3])
        found.append((round(min(max(x, 0), width - 1), 1), round(min(max(y, 0), height - 1), 1), 1))
    return found


def _colors(
    group: str, species: Species, plumage: Mapping[str, Plumage], visible: bool, area: float, draws: Draws
) -> tuple[Shown, int]:
    """Return the colors that annotators name for a part, and the certainty of the colors that they do not name."""
    values = GROUPS[group]
    if not visible:
        if draws.chance(GUESSED):
            return [(species.plumage[group].main, 2)], 2
        return [], 1
    level = draws.choose(LESS_SURE if area < SMALL else SURE)
    own = plumage[group]
    if draws.chance(SILENT):
        return [], level
    main = CONFUSED[own.main] if draws.chance(WRONG) else own.main
    shown = {main if main in values else own.main: level}
    if own.second and draws.chance(DOUBLE):
        shown.setdefault(own.second, level if draws.chance(0.35) else max(2, level - 1))
    if draws.chance(HEDGED) and CONFUSED[own.main] in values:
        shown.setdefault(CONFUSED[own.main], max(2, level - 1 - draws.below(2)))
    return list(shown.items()), level


def _summary(group: str, plumage: Mapping[str, Plumage], draws: Draws) -> tuple[Shown, int]:
    """Return the colors of a group of attributes that sums up several parts."""
    parts = {
        "upperparts_color": ("back_color", "wing_color", "nape_color"),
        "underparts_color": ("belly_color", "breast_color"),
        "under_tail_color": ("upper_tail_color",),
        "primary_color": ("back_color", "wing_color", "breast_color", "belly_color"),
    }[group]
    level = draws.choose(SURE)
    mains = [plumage[part].main for part in parts]
    if group == "primary_color":
        return [(max(mains, key=lambda color: (mains.count(color), -mains.index(color))), level)], level
    return [(color, level) for color in dict.fromkeys(mains)], level


def _trait(value: str, values: tuple[str, ...], draws: Draws) -> tuple[Shown, int]:
    level = draws.choose(SURE)
    return [(draws.pick(values) if draws.chance(0.12) else value, level)], level
