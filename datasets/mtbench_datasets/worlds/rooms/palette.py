"""Random paints: woods, fabrics, walls, floors, and the things about them.

Classes have no colors of their own: tables, chairs, cabinets, beds and doors are of the same woods, and sofas, beds,
chairs, carpets and curtains of the same fabrics.
"""

from dataclasses import dataclass, replace

from ..draws import Draws
from .paint import Color, Paint, hsv, mixed

__all__ = [
    "Style",
    "canvas",
    "ceiling",
    "draw_style",
    "fabric",
    "floor",
    "material",
    "metal",
    "outdoors",
    "shade",
    "wall",
    "wood",
]

WALL_PATTERNS = {"": 10, "stripes": 2, "level stripes": 1, "bricks": 1.2, "mottled": 1, "tartan": 0.6}
FLOOR_PATTERNS = {"planks": 5, "tiles": 2.5, "mottled": 2, "checks": 0.8, "": 1}
FABRIC_PATTERNS = {"": 5, "stripes": 1.2, "checks": 0.8, "tartan": 1.2, "mottled": 1.5, "level stripes": 0.6}
SCALES = {"": 1.0, "stripes": 0.25, "level stripes": 0.4, "bricks": 0.11, "mottled": 0.25, "tartan": 0.3}
FLOOR_SCALES = {"planks": 0.16, "tiles": 0.4, "mottled": 0.12, "checks": 0.5, "": 1.0}


@dataclass(frozen=True, kw_only=True)
class Style:
    """The wood and the fabric that much of a room's furniture has."""

    wood: Paint
    fabric: Paint


def draw_style(draws: Draws) -> Style:
    """Return the style of a room."""
    return Style(wood=_wood(draws), fabric=_cloth(draws))


def wood(draws: Draws, style: Style) -> Paint:
    """Return the wood or the paint of a piece: often that of the room."""
    paint = style.wood if draws.chance(0.55) else _wood(draws)
    return _shifted(paint, draws)


def fabric(draws: Draws, style: Style) -> Paint:
    """Return the fabric of a piece: often that of the room."""
    return _shifted(style.fabric if draws.chance(0.4) else _cloth(draws), draws)


def material(draws: Draws) -> Paint:
    """Return the paint of a small thing."""
    color = hsv(draws.uniform(), draws.uniform(0, 0.9), draws.uniform(0.15, 0.95))
    pattern = draws.choose({"": 4, "level stripes": 1, "checks": 0.6})
    return Paint(color=color, other=_gray(draws, 0.1, 0.9), pattern=pattern, scale=0.09, shine=draws.uniform(0, 0.5))


def metal(draws: Draws) -> Paint:
    """Return dark or bright metal."""
    return Paint(color=_gray(draws, 0.1, 0.8), shine=draws.uniform(0.2, 0.6))


def shade(draws: Draws, *, lit: bool) -> Paint:
    """Return the shade of a lamp."""
    color = hsv(draws.uniform(0.06, 0.16), draws.uniform(0, 0.45), draws.uniform(0.75, 1.0))
    return Paint(color=color, glow=draws.uniform(0.6, 1.3) if lit else 0.0)


def wall(draws: Draws) -> Paint:
    """Return the paint of the walls: mostly bright and pale."""
    strong = draws.chance(0.2)
    saturation, value = (0.6, draws.uniform(0.3, 0.85)) if strong else (0.28, draws.uniform(0.6, 0.97))
    color = hsv(draws.uniform(), draws.uniform(0, saturation), value)
    pattern = draws.choose(WALL_PATTERNS)
    other = mixed(
        color, hsv(draws.uniform(), draws.uniform(0, 0.5), draws.uniform(0.3, 0.95)), draws.uniform(0.25, 0.8)
    )
    scale = SCALES[pattern] * draws.uniform(0.7, 1.5)
    return _shifted(Paint(color=color, other=other, pattern=pattern, scale=scale), draws)


def floor(draws: Draws) -> Paint:
    """Return the paint of the floor."""
    pattern = draws.choose(FLOOR_PATTERNS)
    if pattern == "planks":
        color = hsv(draws.uniform(0.03, 0.12), draws.uniform(0.1, 0.65), draws.uniform(0.35, 0.85))
    else:
        color = hsv(draws.uniform(), draws.uniform(0, 0.35), draws.uniform(0.2, 0.85))
    other = mixed(color, _gray(draws, 0.05, 0.8), draws.uniform(0.4, 0.9))
    scale = FLOOR_SCALES[pattern] * draws.uniform(0.7, 1.5)
    shine = draws.uniform(0.05, 0.35) if pattern in ("planks", "tiles", "checks") else 0.0
    return _shifted(Paint(color=color, other=other, pattern=pattern, scale=scale, shine=shine), draws)


def ceiling(draws: Draws) -> Paint:
    """Return the paint of the ceiling: mostly white, sometimes boards."""
    if draws.chance(0.15):
        return _shifted(_wood(draws), draws)
    return Paint(color=hsv(draws.uniform(0.05, 0.2), draws.uniform(0, 0.1), draws.uniform(0.75, 0.97)))


def canvas(draws: Draws) -> Paint:
    """Return the painting of a picture."""
    color = hsv(draws.uniform(), draws.uniform(0, 0.8), draws.uniform(0.3, 1))
    other = hsv(draws.uniform(), draws.uniform(0, 0.9), draws.uniform(0.05, 0.8))
    pattern = draws.choose({"landscape": 3, "blocks": 2, "mottled": 2, "level stripes": 0.5, "": 0.7})
    return _shifted(Paint(color=color, other=other, pattern=pattern, scale=draws.uniform(0.2, 0.45)), draws, 0.15)


def outdoors(draws: Draws, *, day: bool) -> Paint:
    """Return the view through a window."""
    if not day:
        return Paint(
            color=_gray(draws, 0.02, 0.12), other=_gray(draws, 0.0, 0.3), pattern="blocks", scale=0.3, shine=0.3
        )
    sky = hsv(draws.uniform(0.5, 0.65), draws.uniform(0.02, 0.45), draws.uniform(0.85, 1))
    ground = hsv(draws.uniform(0.05, 0.45), draws.uniform(0.1, 0.6), draws.uniform(0.25, 0.75))
    paint = Paint(
        color=sky, other=ground, pattern="landscape", scale=draws.uniform(0.3, 0.6), glow=draws.uniform(0.5, 1)
    )
    return _shifted(paint, draws, 0.4)


def _wood(draws: Draws) -> Paint:
    if draws.chance(0.25):  # painted
        color = hsv(draws.uniform(), draws.uniform(0, 0.5), draws.uniform(0.2, 0.97))
        return Paint(color=color, shine=draws.uniform(0, 0.3))
    color = hsv(draws.uniform(0.02, 0.12), draws.uniform(0.25, 0.75), draws.uniform(0.2, 0.85))
    other = mixed(color, hsv(0.06, 0.6, 0.15), draws.uniform(0.15, 0.5))
    return Paint(
        color=color, other=other, pattern="grain", scale=draws.uniform(0.08, 0.16), shine=draws.uniform(0, 0.3)
    )


def _cloth(draws: Draws) -> Paint:
    color = hsv(draws.uniform(), draws.uniform(0, 0.75), draws.uniform(0.15, 0.95))
    other = mixed(color, hsv(draws.uniform(), draws.uniform(0, 0.6), draws.uniform(0.1, 0.95)), draws.uniform(0.3, 0.9))
    pattern = draws.choose(FABRIC_PATTERNS)
    return Paint(color=color, other=other, pattern=pattern, scale=draws.uniform(0.12, 0.35))


def _gray(draws: Draws, low: float, high: float) -> Color:
    return hsv(draws.uniform(), 0.06, draws.uniform(low, high))


def _shifted(paint: Paint, draws: Draws, most: float = 3.0) -> Paint:
    x, y, z = (most * (2 * draws.array(3) - 1)).tolist()
    return replace(paint, shift=(x, y, z))
