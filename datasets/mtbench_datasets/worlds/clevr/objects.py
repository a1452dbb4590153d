"""Objects of a CLEVR scene: sizes, colors, materials and shapes (Johnson et al. 2017, the generator's properties)."""

import math
from dataclasses import dataclass

__all__ = ["COLORS", "MATERIALS", "RADII", "SHAPES", "Item"]

COLORS: dict[str, tuple[int, int, int]] = {
    "gray": (92, 92, 92),
    "red": (190, 28, 32),
    "blue": (38, 74, 220),
    "green": (24, 122, 24),
    "brown": (128, 72, 22),
    "purple": (140, 40, 196),
    "cyan": (38, 200, 205),
    "yellow": (250, 225, 36),
}
"""sRGB bytes. CLEVR's colors, with green, purple and gray a little brighter so that they differ at 64 pixels."""

MATERIALS = ("rubber", "metal")
SHAPES = ("cube", "sphere", "cylinder")
RADII = {"large": 0.7, "small": 0.35}
"""Radius on the ground of each size. Of a cube it is half a face's diagonal."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """An object that stands on the ground plane z = 0.

    Attributes:
        x, y: its center on the ground.
        rotation: degrees about the vertical axis, 0 to 360; visible only on cubes.
    """

    shape: str
    size: str
    color: str
    material: str
    rotation: float
    x: float
    y: float

    @property
    def half(self) -> float:
        """Half its height, which is the z of its center: the radius, or half the edge of a cube."""
        radius = RADII[self.size]
        return radius / math.sqrt(2) if self.shape == "cube" else radius

    @property
    def center(self) -> tuple[float, float, float]:
        """Its center in world coordinates."""
        return (self.x, self.y, self.half)

    @property
    def reach(self) -> float:
        """The radius of the least sphere about its center that contains it."""
        return self.half * {"sphere": 1.0, "cylinder": math.sqrt(2), "cube": math.sqrt(3)}[self.shape]
