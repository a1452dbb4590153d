"""Surroundings of a bird: a blurred background, the branch that it stands on, and leaves and twigs before it."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from ..curve import curve
from ..draws import Draws
from .anatomy import Anatomy, Label
from .paint import noise
from .sweeps import Array, Sweep
from .vocabulary import RGB

__all__ = ["background", "occluders", "perch"]

TONES = (
    ((150, 190, 225), (205, 222, 230)),
    ((88, 122, 62), (50, 82, 42)),
    ((150, 160, 110), (96, 104, 70)),
    ((176, 160, 130), (128, 108, 82)),
    ((196, 198, 196), (150, 154, 152)),
    ((70, 84, 72), (34, 44, 36)),
    ((120, 150, 160), (84, 110, 112)),
    ((206, 180, 150), (150, 160, 120)),
    ((120, 96, 74), (76, 62, 48)),
)
"""Colors at the top and at the bottom of a background."""
FLAT = np.eye(3, dtype=np.float32)


def background(draws: Draws, size: tuple[int, int]) -> Array:
    """Return a background (3, H, W), sRGB of 0 to 255: a gradient with foliage and stems out of focus."""
    height, width = size
    top, bottom = draws.pick(TONES)
    along = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    canvas = np.array(top, np.float32) * (1 - along) + np.array(bottom, np.float32) * along
    canvas = np.repeat(canvas, width, 1) * draws.uniform(0.75, 1.15)
    unit = width / 160
    rough = (
        0.5 * noise(draws, size, 60 * unit) + 0.3 * noise(draws, size, 22 * unit) + 0.2 * noise(draws, size, 8 * unit)
    )
    canvas *= 1 + draws.uniform(0.1, 0.55) * rough[..., None]
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    for layer in range(2 + draws.below(2)):
        _scatter(image, draws, layer)
        image = image.filter(
            ImageFilter.GaussianBlur(draws.uniform(0.6, 3.2) * (1.6 if layer == 0 else 1) * width / 160)
        )
    pixels = np.asarray(image).astype(np.float32).transpose(2, 0, 1)
    grain: Array = pixels * (1 + 0.05 * noise(draws, size, 1.5)) + draws.uniform(0, 5) * noise(draws, size, 1)
    return grain


def _scatter(image: Image.Image, draws: Draws, layer: int) -> None:
    """Draw leaves, stems and discs in random colors, some of them colors that birds have."""
    pen = ImageDraw.Draw(image)
    unit = image.width / 160
    kind = draws.below(4)
    base = np.array(draws.pick(((64, 104, 42), (104, 128, 58), (42, 70, 38), (140, 120, 72), (170, 170, 150))))
    for _ in range(6 + draws.below(22)):
        x, y = draws.uniform(-0.1, 1.1) * image.width, draws.uniform(-0.1, 1.1) * image.height
        shade = base * draws.uniform(0.6, 1.5)
        if draws.chance(0.22):
            shade = np.array(RGB[draws.pick(tuple(RGB))]) * draws.uniform(0.7, 1.05)
        fill = tuple(int(min(value, 255)) for value in shade)
        reach = draws.uniform(4, 20) * unit * (1.5 if layer == 0 else 1)
        angle = draws.uniform(0, 2 * math.pi)
        dx, dy = math.cos(angle), math.sin(angle)
        if kind == 0:
            pen.ellipse((x - reach / 2, y - reach / 2, x + reach / 2, y + reach / 2), fill=fill)
        elif kind == 1:
            thick = max(1, round(draws.uniform(0.1, 0.3) * reach))
            pen.line((x - 4 * reach * dx, y - 4 * reach * dy, x + 4 * reach * dx, y + 4 * reach * dy), fill, thick)
        elif kind == 2:
            tall = draws.uniform(1, 4) * reach
            pen.polygon([(x - reach / 8, y), (x + reach / 8, y), (x + dx * reach, y - tall)], fill)
        else:
            wide = draws.uniform(0.2, 0.4) * reach
            pen.polygon(
                [
                    (x - reach * dx, y - reach * dy),
                    (x - wide * dy, y + wide * dx),
                    (x + reach * dx, y + reach * dy),
                    (x + wide * dy, y - wide * dx),
                ],
                fill,
            )


def perch(anatomy: Anatomy, draws: Draws, width: int) -> list[Sweep]:
    """Return the branch, or the two twigs, under a bird's feet."""
    left, right = anatomy.feet
    middle, thick = (left + right) / 2, anatomy.scale * draws.uniform(0.05, 0.13)
    slope, depth = draws.uniform(-0.25, 0.25), draws.uniform(-0.4, 0.4)
    middle = middle + np.array([0, 0.9 * thick, 0])
    ends = [-draws.uniform(0.2, 1.3) * width, draws.uniform(0.2, 1.3) * width]
    knots = sorted([*ends, 0.0, *(draws.uniform(*ends) for _ in range(2))])
    points = [
        (
            *(middle + np.array([t, slope * t + (draws.uniform(-0.05, 0.05) * abs(t)), depth * t])),
            thick * draws.uniform(0.8, 1.2),
        )
        for t in knots
    ]
    return [_sweep(Label.PERCH, curve(np.array(points), 40))]


def occluders(draws: Draws, box: tuple[float, float, float, float], size: tuple[int, int]) -> list[Sweep]:
    """Return leaves and twigs in front of a bird that is seen within box (x, y, width, height)."""
    found = []
    if draws.chance(0.5):
        return []
    x, y, width, height = box
    unit = size[1] / 160
    for _ in range(1 + draws.below(4)):
        middle = np.array([x + draws.uniform() * width, y + draws.uniform() * height, 400.0 * unit])
        angle = draws.uniform(0, 2 * math.pi)
        along = np.array([math.cos(angle), math.sin(angle), 0.0])
        if draws.chance(0.25):
            reach = draws.uniform(30, 90) * unit
            bend = np.array([-along[1], along[0], 0.0]) * draws.uniform(-0.2, 0.2) * reach
            line = np.stack([middle - reach * along, middle + bend, middle + reach * along])
            points = np.column_stack([line, np.array([1.0, 1.3, 0.7]) * draws.uniform(0.8, 2.0) * unit])
            found.append(_sweep(Label.PERCH, curve(points, 48)))
        else:
            reach, wide = draws.uniform(7, 15) * unit, draws.uniform(2.2, 4.6) * unit
            line = np.stack([middle + t * reach * along for t in (-1, -0.5, 0, 0.5, 1)])
            points = np.column_stack([line, wide * np.array([0.1, 0.8, 1.0, 0.7, 0.05])])
            found.append(_sweep(Label.LEAF, curve(points, 5)))
    return found


def _sweep(label: Label, points: NDArray[np.float64]) -> Sweep:
    return Sweep(
        label=label,
        centers=points[:, :3].astype(np.float32),
        radii=np.maximum(points[:, 3], 0.05).astype(np.float32),
        squash=FLAT,
    )
