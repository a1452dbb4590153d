"""Clothes, jewels, glasses and hats."""

import numpy as np
from PIL import Image

from ..draws import Draws
from .build import mix
from .canvas import Array, Canvas, Color, arc, ellipse, mirror, smooth
from .head import EARS
from .persona import Persona

__all__ = ["paint_clothes", "paint_earrings", "paint_glasses", "paint_hat"]

BLACK: Color = (18, 16, 18)
CLOTHS: tuple[Color, ...] = (
    *((40, 44, 60), (120, 30, 40), (40, 90, 70), (200, 196, 188), (70, 100, 150), (150, 110, 60)),
    *((90, 60, 110), (30, 30, 32)),
)
GOLD: Color = (236, 196, 84)


def paint_clothes(canvas: Canvas, persona: Persona, draws: Draws) -> None:
    """Paint shoulders, with collar and necktie, or a necklace above them."""
    has = persona.has
    cloth = draws.pick(CLOTHS)
    male = "Male" in has
    wide = 2.2 if male else 1.85
    deep = 2.55 if "Wearing_Necklace" in has else draws.uniform(2.2, 2.5)
    half = [(0.0, deep), (0.35, deep - 0.1), (0.62, 2.05), (1.1, 2.1), (wide, 2.42), (wide + 0.2, 4.0), (0.0, 4.0)]
    canvas.fill(np.array(mirror(half)), cloth, depth=-0.3)
    canvas.stroke([np.array(half[1:5])], mix(cloth, BLACK, 0.4), 0.05, alpha=0.6, depth=-0.3)
    if "Wearing_Necktie" in has:
        shirt: Color = (236, 238, 242)
        canvas.fill(np.array([(-0.6, 1.95), (0.6, 1.95), (0.45, 4), (-0.45, 4)]), shirt, depth=-0.25)
        tie = draws.pick([(150, 20, 30), (30, 50, 130), (20, 90, 60), (90, 30, 100), (200, 140, 30)])
        canvas.fill(
            np.array([(-0.17, 2.08), (0.17, 2.08), (0.11, 2.3), (-0.11, 2.3)]), mix(tie, BLACK, 0.2), depth=-0.2
        )
        canvas.fill(np.array([(-0.11, 2.29), (0.11, 2.29), (0.3, 4.0), (-0.3, 4.0)]), tie, depth=-0.2)
        for side in (-1, 1):
            flap = np.array([(side * 0.62, 1.86), (side * 0.1, 2.1), (side * 0.42, 2.42), (side * 0.72, 2.1)])
            canvas.fill(flap, (250, 250, 252), depth=-0.2)
            canvas.stroke([flap], (150, 154, 166), 0.025, depth=-0.2)
    if "Wearing_Necklace" in has:
        way = arc(0, 1.9, 0.58, 0.5, 10, 170)
        color = draws.pick([GOLD, (240, 240, 244), (60, 150, 160)])
        canvas.stroke([way], mix(color, BLACK, 0.45), 0.05, depth=-0.25)
        for x, y in way[::2]:
            canvas.fill(ellipse(x, y, 0.055, 0.055), color, depth=-0.25)


def paint_earrings(canvas: Canvas, draws: Draws) -> None:
    """Paint a ring or a drop below each ear."""
    ring = draws.chance(0.5)
    color = draws.pick([GOLD, (236, 240, 246), (210, 40, 80), (40, 140, 170)])
    for side in (-1, 1):
        x = side * (EARS + 0.06)
        if ring:
            canvas.stroke([ellipse(x, 0.76, 0.13, 0.19)], mix(color, BLACK, 0.5), 0.085, depth=-0.05)
            canvas.stroke([ellipse(x, 0.76, 0.13, 0.19)], color, 0.055, depth=-0.05)
        else:
            drop = smooth([(x, 0.56), (x + 0.1, 0.86), (x, 0.96), (x - 0.1, 0.86)])
            canvas.stroke([drop], mix(color, BLACK, 0.5), 0.04, depth=-0.05)
            canvas.fill(drop, color, depth=-0.05)
            canvas.fill(ellipse(x - 0.03, 0.82, 0.025, 0.04), (255, 255, 255), depth=-0.05)


def paint_glasses(canvas: Canvas, persona: Persona, draws: Draws) -> None:
    """Paint a frame before the eyes, with clear or dark glasses."""
    color = draws.pick([BLACK, (92, 44, 22), (130, 20, 30), (40, 50, 90)])
    round_ = draws.chance(0.45)
    width = draws.uniform(0.05, 0.075)
    for side in (-1, 1):
        x = 0.5 * side
        lens: Array = ellipse(x, 0.03, 0.37, 0.33) if round_ else _box(x, 0.02, 0.4, 0.26)
        if persona.sunglasses:
            canvas.fill(lens, (26, 24, 30), alpha=0.94, depth=0.35)
            canvas.fill(_box(x - 0.12, -0.08, 0.1, 0.05), (150, 156, 176), alpha=0.7, soft=0.03, depth=0.35)
        else:
            canvas.fill(lens, (216, 232, 246), alpha=0.22, depth=0.35)
            glare = np.array([(x - 0.22, 0.14), (x - 0.1, 0.14), (x + 0.08, -0.16), (x - 0.04, -0.16)])
            canvas.fill(glare, (255, 255, 255), alpha=0.28, depth=0.35)
        canvas.stroke([np.concatenate([lens, lens[:2]])], color, width, depth=0.35)
        outer = np.array([(side * 0.88, -0.04), (side * 1.06, -0.04)])
        canvas.stroke([outer], color, width, depth=0.1)
    canvas.stroke([arc(0, 0.0, 0.14, 0.07, 180, 360)], color, width, depth=0.45)


def paint_hat(canvas: Canvas, draws: Draws) -> None:
    """Paint a hat: a cap, a woollen one, or one with a brim."""
    color = draws.pick(CLOTHS)
    color = mix(color, (255, 255, 255), 0.12)
    band = mix(color, BLACK, 0.5) if sum(color) > 300 else mix(color, (255, 255, 255), 0.45)
    kind = draws.choose({"cap": 0.36, "beanie": 0.32, "brim": 0.32})
    if kind == "brim":
        crown = [(0.0, -1.8), (0.5, -1.96), (0.86, -1.8), (0.98, -0.72), (0.0, -0.6)]
        canvas.fill(smooth(mirror(crown)), color, depth=0.05)
        _shade(canvas, canvas.mask(smooth(mirror(crown)), 0.05))
        canvas.fill(np.array(mirror([(0.0, -0.98), (1.02, -0.98), (1.06, -0.64), (0.0, -0.58)])), band, depth=0.08)
        brim = smooth(mirror([(0.0, -0.76), (0.9, -0.76), (1.72, -0.62), (0.9, -0.46), (0.0, -0.42)]))
        canvas.fill(brim + np.array([0, 0.05]), (50, 26, 20), alpha=0.5, soft=0.05, depth=0.2)
        canvas.fill(brim, mix(color, BLACK, 0.14), depth=0.2)
        canvas.stroke([brim], mix(color, BLACK, 0.5), 0.025, alpha=0.7, depth=0.2)
        return
    dome = [(0.0, -1.86), (0.66, -1.72), (1.1, -1.2), (1.19, -0.6), (0.0, -0.56)]
    canvas.fill(smooth(mirror(dome)), color, depth=0.02)
    mask = canvas.mask(smooth(mirror(dome)), 0.02)
    _shade(canvas, mask)
    if kind == "cap":
        seams = [smooth([(0, -1.86), (side * 0.5, -1.3), (side * 0.56, -0.6)], closed=False) for side in (-1, 0, 1)]
        canvas.stroke(seams, mix(color, BLACK, 0.5), 0.03, alpha=0.6, depth=0.1, within=mask)
        peak = smooth(mirror([(0.0, -0.84), (0.7, -0.78), (1.0, -0.58), (0.72, -0.4), (0.0, -0.34)]))
        canvas.fill(peak + np.array([0, 0.08]), (50, 26, 20), alpha=0.5, soft=0.05, depth=0.45)
        canvas.fill(peak, mix(color, BLACK, 0.22), depth=0.45)
        canvas.stroke([peak], mix(color, BLACK, 0.55), 0.03, depth=0.45)
        canvas.fill(ellipse(0, -1.86, 0.07, 0.05), band)
    else:
        lines = [np.array([(x, -1.86), (x * 1.5, -0.5)]) for x in np.linspace(-0.8, 0.8, 15)]
        canvas.stroke(lines, mix(color, BLACK, 0.5), 0.03, alpha=0.45, depth=0.05, within=mask)
        fold = smooth(mirror([(0.0, -1.0), (1.12, -0.92), (1.24, -0.72), (1.17, -0.5), (0.0, -0.56)]))
        canvas.fill(fold, band, depth=0.06)
        ribs = [np.array([(x, -1.05), (x, -0.45)]) for x in np.linspace(-1.1, 1.1, 19)]
        canvas.stroke(ribs, mix(band, BLACK, 0.5), 0.025, alpha=0.5, depth=0.06, within=canvas.mask(fold, 0.06))
        canvas.fill(ellipse(0, -1.92, 0.2, 0.17), band)


def _shade(canvas: Canvas, mask: Image.Image) -> None:
    """Darken the sides of the area of a mask."""
    for side in (-1, 1):
        canvas.fill(ellipse(side * 1.15, -1.2, 0.35, 0.9), BLACK, alpha=0.4, soft=0.2, within=mask)


def _box(x: float, y: float, wide: float, high: float) -> Array:
    """Return a rectangle with round corners of half a width and half a height about a place."""
    angles = np.linspace(0, 2 * np.pi, 41)
    across, down = np.cos(angles), np.sin(angles)
    return np.stack(
        [x + wide * np.sign(across) * np.abs(across) ** 0.45, y + high * np.sign(down) * np.abs(down) ** 0.45], 1
    )
