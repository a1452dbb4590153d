"""A drawing of a shoe as a list of parts, in units of the foot's length, seen from the side with the toe to the left.

x runs from the toe at 0 to the heel at 1, y up from the ground. What lies on the foot is given by x and its height
above the insole, so that it follows the insole wherever the heel lifts it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..curve import curve
from .models import Color, Shoe

__all__ = ["Part", "Points", "Sketch", "along", "between", "join", "shade"]

Points = NDArray[np.float64]
BALL, SEAT = 0.28, 0.82
"""Places where the insole begins and ends to rise."""
_SOLES = {"sport": 0.075, "lug": 0.055, "soft": 0.05, "flat": 0.026, "wedge": 0.022, "block": 0.022, "stiletto": 0.016}
"""Thickness of soles in front."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A colored part of a drawing; later ones hide earlier ones.

    Attributes:
        name: name for parts that are kept within this one; may be empty.
        points: (K, 2) points of an outline, or of a line.
        color: the color of the part.
        width: the width of a line; 0 for an area.
        bulge: distance from its rim over which it curves toward the viewer.
        within: name of a part that it is kept within; may be empty.
        texture: ``smooth``, ``Patent``, ``Suede``, ``Mesh``, ``Canvas``, ``Wool``, ``Shearling``, ``Leather`` or
            ``fuzz``.
    """

    name: str = ""
    points: Points
    color: Color
    width: float = 0.0
    bulge: float = 0.02
    within: str = ""
    texture: str = "smooth"


class Sketch:
    """The parts of one shoe, and the last that it is built on."""

    def __init__(self, shoe: Shoe) -> None:
        self.shoe = shoe
        self.colors = shoe.palette
        self.thickness = _SOLES[shoe.sole]
        self.parts: list[Part] = []

    def insole(self, x: Points) -> Points:
        """Return y of the insole at places x."""
        t = np.clip((x - BALL) / (SEAT - BALL), 0, 1)
        spring = 0.03 * np.clip((0.16 - x) / 0.2, 0, 2) ** 2
        return self.shoe.platform + self.thickness + self.shoe.rise * t * t * (3 - 2 * t) + spring

    def at(self, *places: tuple[float, float]) -> Points:
        """Return points (K, 2) of places given by x and the height above the insole, for a foot of usual height."""
        x, up = np.array(places, np.float64).T
        return np.stack([self._drawn_in(x), self.insole(x) + self.shoe.plump * up], 1)

    def above(self, *places: tuple[float, float]) -> Points:
        """Return points (K, 2) of places given by x and the height above the seat of the heel, as of a boot's shaft."""
        x, up = np.array(places, np.float64).T
        seat = float(self.insole(np.array(SEAT)))
        return np.stack([self._drawn_in(x), seat + up], 1)

    def under(self, *places: tuple[float, float]) -> Points:
        """Return points (K, 2) of places given by x and the height above the ground."""
        x, y = np.array(places, np.float64).T
        return np.stack([self._drawn_in(x), y], 1)

    def _drawn_in(self, x: Points) -> Points:
        """Return x of a foot that stands on its ball, which is shorter than a flat one."""
        return x - 0.32 * self.shoe.rise * np.clip(x - BALL, 0, None)

    def area(
        self,
        points: Points,
        color: Color,
        *,
        name: str = "",
        bulge: float = 0.02,
        within: str = "",
        texture: str = "smooth",
    ) -> None:
        """Add a filled outline."""
        self.parts.append(Part(name=name, points=points, color=color, bulge=bulge, within=within, texture=texture))

    def line(
        self,
        points: Points,
        width: float,
        color: Color,
        *,
        name: str = "",
        bulge: float = 0.008,
        within: str = "",
        texture: str = "smooth",
    ) -> None:
        """Add a line with round ends."""
        self.parts.append(
            Part(name=name, points=points, color=color, width=width, bulge=bulge, within=within, texture=texture)
        )

    def seam(self, points: Points, within: str = "upper") -> None:
        """Add a dark seam."""
        self.line(points, 0.007, shade(self.colors.main, 0.55), bulge=0.0, within=within)

    def bottom(self, low: float = 0.0, high: float = 0.995, up: float = -0.006) -> Points:
        """Return the insole from x = high to x = low."""
        return self.at(*((float(x), up) for x in np.linspace(high, low, 24)))


def along(points: Points, steps: int = 6) -> Points:
    """Return a smooth line through points."""
    return curve(points, steps)


def shade(color: Color, factor: float) -> Color:
    """Return a darker or brighter color."""
    red, green, blue = (min(255.0, value * factor) for value in color)
    return red, green, blue


def join(*lines: Points) -> Points:
    """Return lines one after the other."""
    return np.concatenate(lines)


def between(line: Points, start: float, stop: float) -> Points:
    """Return a part of a line, from and to fractions of its points."""
    count = len(line) - 1
    return line[round(start * count) : round(stop * count) + 1]
