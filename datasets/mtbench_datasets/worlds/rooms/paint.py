"""Colors of surfaces, with patterns that fill space, so that a surface shows its cut through them.

Colors are linear light, 0 to 1. Points are (3, R) float32 in meters, z up, in the axes of the solid that is painted.
"""

import colorsys
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..camera import Vector
from ..lamps import GAMMA

__all__ = ["PATTERNS", "Color", "Paint", "hsv", "mixed"]

Color = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Paint:
    """The paint of a solid.

    Attributes:
        color: its color.
        other: the color that the pattern mixes in.
        pattern: a name in `PATTERNS`; empty for one color.
        scale: meters from one element of the pattern to the next.
        shift: the pattern is moved by so many meters along each axis.
        shine: strength of highlights.
        glow: light that it sends out, in its color.
    """

    color: Color
    other: Color = (0.0, 0.0, 0.0)
    pattern: str = ""
    scale: float = 0.1
    shift: Vector = (0.0, 0.0, 0.0)
    shine: float = 0.0
    glow: float = 0.0

    def colors(self, points: Tensor) -> Tensor:
        """Return the colors (3, R) at points."""
        color = torch.tensor(self.color)[:, None]
        if not self.pattern:
            return color.expand(3, points.shape[1])
        weight = PATTERNS[self.pattern]((points + torch.tensor(self.shift)[:, None]) / self.scale)
        return color + (torch.tensor(self.other)[:, None] - color) * weight


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return a color given by hue, saturation and value, 0 to 1, as a picture has them."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return (red**GAMMA, green**GAMMA, blue**GAMMA)


def mixed(one: Color, two: Color, weight: float) -> Color:
    """Return a color between two."""
    red, green, blue = ((1 - weight) * a + weight * b for a, b in zip(one, two, strict=True))
    return (red, green, blue)


# Each pattern takes points in units of its scale and returns the weight (R,) of the other color, 0 to 1.


def _stripes(p: Tensor) -> Tensor:
    return _soft((p[0] + p[1]) % 1 - 0.5)


def _level_stripes(p: Tensor) -> Tensor:
    return _soft(p[2] % 1 - 0.5)


def _checks(p: Tensor) -> Tensor:
    return (p.floor().sum(0) % 2).float()


def _tartan(p: Tensor) -> Tensor:
    return ((p % 1 < 0.4).sum(0) / 3).float()


def _tiles(p: Tensor) -> Tensor:
    joint = ((p[:2] % 1) < 0.06).any(0)
    return (0.55 * _hash(p[:2].floor())).where(~joint, 1.0)


def _planks(p: Tensor) -> Tensor:
    row = p[1].floor()
    along = p[0] / 6 + 0.37 * row
    joint = (p[1] % 1 < 0.07) | (along % 1 < 0.012)
    grain = 0.12 * torch.sin(40 * p[1] + 2 * torch.sin(1.3 * p[0] + row))
    return (0.15 + 0.5 * _hash(torch.stack([along.floor(), row])) + grain).clamp(0, 1).where(~joint, 1.0)


def _bricks(p: Tensor) -> Tensor:
    row = p[2].floor()
    along = (p[0] + p[1]) / 2.4 + 0.5 * (row % 2)
    joint = (p[2] % 1 < 0.13) | (along % 1 < 0.06)
    return (0.4 * _hash(torch.stack([along.floor(), row]))).where(~joint, 1.0)


def _grain(p: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.sin(math.tau * (p[0] + 0.8 * p[2]) + 2.5 * torch.sin(1.1 * p[1] + 0.6 * p[2] + 0.4 * p[0]))


def _mottled(p: Tensor) -> Tensor:
    x, y, z = p
    waves = torch.sin(4.1 * x + 2.3 * y + z) + torch.sin(3.7 * y - 2.9 * z + 1.1) + torch.sin(3.3 * z + 2.1 * x - y)
    return (0.5 + waves / 6).clamp(0, 1)


def _spines(p: Tensor) -> Tensor:
    """Backs of books, side by side."""
    return _hash(torch.stack([p[0].floor(), p[0].floor() * 3 + 1]))


def _fronts(p: Tensor) -> Tensor:
    """Doors or drawers with gaps between them."""
    return ((p[0] % 1 < 0.03) | (p[2] % 1 < 0.03)).float()


def _panels(p: Tensor) -> Tensor:
    """Raised panels of a door."""
    x, z = (p[0] + 0.5) % 1 - 0.5, p[2] % 1.6 - 0.8
    outer, inner = (x.abs() < 0.33) & (z.abs() < 0.65), (x.abs() < 0.26) & (z.abs() < 0.58)
    return (outer & ~inner).float()


def _folds(p: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.sin(math.tau * (p[0] + p[1]))


def _landscape(p: Tensor) -> Tensor:
    """Hills or roofs under a sky that is paler near them."""
    hills = 0.15 * torch.sin(3 * p[0]) + 0.1 * torch.sin(7.3 * p[0] + 1)
    above = p[2] - hills
    sky = 0.12 * (-2.5 * above.clamp(min=0)).exp()
    return sky.where(above > 0, 1 - 0.25 * _mottled(4 * p))


def _blocks(p: Tensor) -> Tensor:
    """Return an abstract painting."""
    return _hash(torch.stack([(p[0] + 0.2 * (p[2] * 1.7).floor()).floor(), (p[2] * 1.7).floor()]))


PATTERNS: dict[str, Callable[[Tensor], Tensor]] = {
    "stripes": _stripes,
    "level stripes": _level_stripes,
    "checks": _checks,
    "tartan": _tartan,
    "tiles": _tiles,
    "planks": _planks,
    "bricks": _bricks,
    "grain": _grain,
    "mottled": _mottled,
    "spines": _spines,
    "fronts": _fronts,
    "panels": _panels,
    "folds": _folds,
    "landscape": _landscape,
    "blocks": _blocks,
}


def _soft(values: Tensor) -> Tensor:
    """Return a step from 0 to 1 at 0 that is a tenth wide."""
    return (10 * values + 0.5).clamp(0, 1)


def _hash(cells: Tensor) -> Tensor:
    """Return a pseudorandom number (R,) of 0 to 1 for whole numbers (2, R)."""
    mixed = cells[0].long() * 73856093 ^ cells[1].long() * 19349663
    mixed = (mixed ^ mixed >> 13) * 83492791
    return ((mixed ^ mixed >> 16) & 1023).float() / 1023
