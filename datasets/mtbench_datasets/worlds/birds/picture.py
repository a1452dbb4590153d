"""Pictures of birds: their contents, and the visible places of their parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from .anatomy import Anatomy, Pose, build
from .paint import Light, noise, paint, regions
from .scenery import background, occluders, perch
from .species import Plumage, Species
from .sweeps import Array, Buffer
from .vocabulary import PARTS

__all__ = ["Drawn", "draw_picture"]

SAMPLES = 2
"""Samples per pixel along each axis."""
SPAN = (0.6, 0.95)
"""Greater side of a bird's box, as a fraction of that side of the picture: least and most."""
OVERHANG = 0.09
"""Fraction of the box that may be outside of the picture, on each side."""
AREA = 19_200
"""Pixels of a picture of 160 x 120, for which the areas below are given."""
LEAST = {"left eye": 14.0, "right eye": 14.0, "beak": 12.0, "left leg": 14.0, "right leg": 14.0, "forehead": 14.0}
LEAST_OTHER = 26.0
"""Smallest number of visible pixels of a part; with fewer it counts as not visible."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture and the facts about it.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
        points: x and y in pixels of each part that is seen.
        areas: fraction of the picture that each part takes.
        box: x, y, width and height of the bird, in pixels, as far as it is in the picture.
    """

    pixels: NDArray[np.uint8]
    points: Mapping[str, tuple[float, float]]
    areas: Mapping[str, float]
    box: tuple[float, float, float, float]

    @property
    def facts(self) -> dict[str, Any]:
        """All but the pixels, rounded, as JSON has it; ``size`` is [height, width]."""
        return {
            "size": list(self.pixels.shape[:2]),
            "box": [round(value, 1) for value in self.box],
            "points": {part: list(place) for part, place in self.points.items()},
            "areas": {part: round(area, 6) for part, area in self.areas.items()},
        }


def draw_picture(species: Species, plumage: Mapping[str, Plumage], draws: Draws, size: tuple[int, int]) -> Drawn:
    """Return a picture of a bird.

    Args:
        species: proportions.
        plumage: its colors.
        draws: random numbers for all else.
        size: (height, width) about which the picture's own varies.
    """
    height, width = _size(draws, size)
    anatomy = _placed(species, _pose(species, draws), draws, (height, width))
    buffer = Buffer((height * SAMPLES, width * SAMPLES), 1 / SAMPLES)
    for sweep in anatomy.sweeps:
        buffer.draw(sweep)
    box = _box(anatomy, (height, width))
    for sweep in perch(anatomy, draws, width) + occluders(draws, box, (height, width)):
        buffer.draw(sweep)
    rough = noise(draws, buffer.label.shape, 7 * SAMPLES * width / 160)
    region, cheeks = regions(buffer, anatomy, rough)
    light = _light(draws)
    color = paint(buffer, anatomy, region, cheeks, plumage, species.face, light, draws)
    behind = background(draws, (height, width)) * (0.5 + 0.5 * light.exposure)
    pixels = _composed(color, buffer, behind)
    points, areas = _parts(region)
    return Drawn(pixels=pixels, points=points, areas=areas, box=box)


def _size(draws: Draws, size: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width): of one longer side, one picture in nine upright."""
    height, width = size
    height = round(height * draws.uniform(0.9, 1.12))
    return (width, height) if draws.chance(0.11) else (height, width)


def _pose(species: Species, draws: Draws) -> Pose:
    facing = 0.0 if draws.chance(0.5) else 180.0
    turned = draws.uniform(-180, 180) if draws.chance(0.12) else draws.middling(-62, 62)
    return Pose(
        yaw=facing + turned,
        upright=species.form.upright + draws.middling(-24, 26),
        elevation=draws.middling(-14, 30),
        roll=draws.middling(-16, 16),
        look=draws.middling(-95, 95),
        nod=draws.middling(-40, 32),
        tail=draws.middling(-35, 30),
        fan=draws.uniform(-45, 45),
        droop=draws.middling(-16, 14),
    )


def _placed(species: Species, pose: Pose, draws: Draws, size: tuple[int, int]) -> Anatomy:
    """Return a bird of a random size at a random place of the picture."""
    height, width = size
    x, y, wide, high = _box(build(species.form, pose, 1.0, np.zeros(3)), None)
    span = draws.uniform(*SPAN)
    scale = span * min(width / wide, height / high)
    wide, high = wide * scale, high * scale
    left = _between(draws, -OVERHANG * wide, width - (1 - OVERHANG) * wide)
    top = _between(draws, -OVERHANG * high, height - (1 - OVERHANG) * high)
    return build(species.form, pose, scale, np.array([left - x * scale, top - y * scale, 0.0]))


def _between(draws: Draws, low: float, high: float) -> float:
    return draws.uniform(min(low, high), max(low, high))


def _box(anatomy: Anatomy, size: tuple[int, int] | None) -> tuple[float, float, float, float]:
    """Return x, y, width and height about a bird's solids; those that are thin are taken for round."""
    low = np.min([(sweep.centers[:, :2] - sweep.radii[:, None]).min(0) for sweep in anatomy.sweeps], 0)
    high = np.max([(sweep.centers[:, :2] + sweep.radii[:, None]).max(0) for sweep in anatomy.sweeps], 0)
    if size is not None:
        low, high = np.maximum(low, 0), np.minimum(high, size[::-1])
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _light(draws: Draws) -> Light:
    direction = np.array([draws.uniform(-0.8, 0.8), -1.0, draws.uniform(0.2, 0.9)])
    direction /= np.sqrt((direction**2).sum())
    warm = draws.uniform(-0.05, 0.05)
    return Light(
        direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        exposure=draws.uniform(0.86, 1.08),
        tint=(1 + warm, 1.0, 1 - warm),
    )


def _composed(color: Array, buffer: Buffer, behind: Array) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of solids before a background."""
    _, height, width = behind.shape
    solid = buffer.label >= 0
    color[:, ~solid] = 0
    covered = solid.reshape(height, SAMPLES, width, SAMPLES).mean((1, 3), dtype=np.float32)
    front = np.clip(color, 0, 255).reshape(3, height, SAMPLES, width, SAMPLES).mean((2, 4))
    pixels = np.clip(front + (1 - covered) * behind, 0, 255)
    rounded: NDArray[np.uint8] = (pixels + 0.5).astype(np.uint8).transpose(1, 2, 0).copy()
    return rounded


def _parts(region: NDArray[np.int8]) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Return for each part that is seen a point in its midst, in pixels, and the fraction of the picture it takes.

    The point is the sample of the part that is nearest to the middle of its samples, those next to its rim left out
    where there are others.
    """
    points, areas = {}, {}
    total = region.size
    for index, part in enumerate(PARTS):
        shown = region == index
        areas[part] = float(shown.sum()) / total
        if areas[part] * AREA < LEAST.get(part, LEAST_OTHER):
            continue
        inner = shown.copy()
        for shift in (-2, 2):
            inner &= np.roll(shown, shift, 0) & np.roll(shown, shift, 1)
        rows, columns = np.nonzero(inner if inner.any() else shown)
        middle = np.nonzero(shown)
        away = (rows - middle[0].mean()) ** 2 + (columns - middle[1].mean()) ** 2
        nearest = int(away.argmin())
        points[part] = ((columns[nearest] + 0.5) / SAMPLES, (rows[nearest] + 0.5) / SAMPLES)
    return points, areas
