"""Head, ears and neck, and the effects of age and weight on them."""

import numpy as np
from PIL import Image

from .build import Build, mix
from .canvas import Canvas, Color, arc, ellipse, smooth
from .persona import Persona

__all__ = ["EARS", "lines_of_age", "paint_ears", "paint_head", "paint_neck"]

EARS = 1.09
"""Half the distance of the ears."""
DARK: Color = (70, 30, 20)


def paint_neck(canvas: Canvas, build: Build, persona: Persona) -> None:
    """Paint the neck, with the shadow of the head on it."""
    wide = (0.66 if "Male" in persona.has else 0.5) + 0.14 * ("Chubby" in persona.has)
    shade = mix(build.skin, DARK, 0.14)
    left = [(-wide - 0.02, 0.9), (-wide, 1.9), (-wide - 0.08, 2.35), (-wide - 0.5, 3.2)]
    outline = np.array(left + [(-x, y) for x, y in reversed(left)])
    canvas.fill(outline, shade, depth=-0.3)
    neck = canvas.mask(outline, -0.3)
    canvas.fill(ellipse(0, build.chin - 0.02, 0.85, 0.36), DARK, alpha=0.4, soft=0.09, within=neck)
    if "Double_Chin" in persona.has:
        wide = build.jaw * 0.8
        sag = smooth([(-wide, 1.2), (-wide * 0.8, 1.74), (0, build.chin + 0.3), (wide * 0.8, 1.74), (wide, 1.2)])
        canvas.fill(sag, build.skin, depth=-0.05)
        below = [arc(0, build.chin - 0.16, wide * 0.76, 0.46, 25, 155)]
        canvas.stroke(below, DARK, 0.04, alpha=0.5, soft=0.015, depth=-0.05)


def paint_ears(canvas: Canvas, build: Build) -> None:
    """Paint both ears."""
    for side in (-1, 1):
        canvas.fill(ellipse(side * EARS, 0.22, 0.15, 0.34), mix(build.skin, DARK, 0.08), depth=-0.1)
        inner = arc(side * EARS, 0.2, 0.07, 0.2, 200, 430) if side > 0 else arc(-EARS, 0.2, 0.07, 0.2, 110, 340)
        canvas.stroke([inner], mix(build.skin, DARK, 0.35), 0.04, alpha=0.7, depth=-0.1)


def paint_head(canvas: Canvas, build: Build, persona: Persona) -> Image.Image:
    """Paint the skin of the head, and return the mask of the head."""
    has = persona.has
    head = canvas.mask(build.outline)
    canvas.cover(head, build.skin)
    rim = mix(build.skin, DARK, 0.3)
    edges = [build.outline[np.abs(build.outline[:, 0]) > 0.2]]
    for side in (-1, 1):
        part = edges[0][side * edges[0][:, 0] > 0]
        canvas.stroke([part], rim, 0.2, alpha=0.55, soft=0.12, within=head)
    lower = build.outline[build.outline[:, 1] > 1.1]
    lower = lower[np.argsort(lower[:, 0])]
    canvas.stroke([lower], rim, 0.1, alpha=0.6, soft=0.06, within=head)
    light = mix(build.skin, (255, 250, 240), 0.35)
    canvas.fill(ellipse(0, -0.72, 0.6, 0.24), light, alpha=0.4, soft=0.16, depth=0.2, within=head)
    canvas.fill(ellipse(0, 1.52, 0.2, 0.12), light, alpha=0.4, soft=0.08, depth=0.3, within=head)
    if "Double_Chin" in has:
        fold = arc(0, build.chin - 0.42, 0.46, 0.36, 30, 150)
        canvas.stroke([fold], DARK, 0.035, alpha=0.5, soft=0.015, depth=0.15, within=head)
    for side in (-1, 1):
        if "Chubby" in has:
            canvas.fill(ellipse(side * 0.72, 0.82, 0.3, 0.3), light, alpha=0.45, soft=0.12, depth=0.15, within=head)
        if "High_Cheekbones" in has:
            bone = smooth([(side * 0.38, 0.52), (side * 0.7, 0.3), (side * 0.98, 0.16), (side * 0.86, 0.5)])
            canvas.fill(bone, mix(build.skin, (255, 244, 226), 0.6), alpha=0.6, soft=0.05, depth=0.2, within=head)
            hollow = smooth([(side * 0.5, 0.86), (side * 0.8, 0.62), (side * 1.02, 0.46), (side * 0.92, 0.8)])
            canvas.fill(hollow, DARK, alpha=0.36, soft=0.07, depth=0.15, within=head)
        if "Rosy_Cheeks" in has:
            canvas.fill(
                ellipse(side * 0.66, 0.6, 0.24, 0.2), (226, 70, 84), alpha=0.5, soft=0.1, depth=0.2, within=head
            )
    return head


def lines_of_age(canvas: Canvas, build: Build, persona: Persona, head: Image.Image) -> None:
    """Paint the lines of the face: those of the forehead and about the eyes come with age, those from the nose to the
    mouth with age and with a smile."""
    has = persona.has
    old, smiling = "Young" not in has, "Smiling" in has
    dark = mix(build.skin, DARK, 0.6)
    if old:
        for index in range(3):
            y = -0.66 - 0.13 * index
            line = [(-0.6, y + 0.03), (-0.25, y - 0.02), (0.2, y + 0.02), (0.6, y + 0.02)]
            canvas.stroke([smooth(line, closed=False)], dark, 0.025, alpha=0.55, depth=0.25, within=head)
    for side in (-1, 1):
        if old or smiling:
            fold = [(side * 0.26, 0.66), (side * 0.42, 0.84), (side * (0.5 + 0.05 * smiling), 1.08)]
            strength = 0.75 if old and smiling else 0.6 if old else 0.4
            curve = smooth(fold, closed=False)
            canvas.stroke([curve], dark, 0.03, alpha=strength, soft=0.008, depth=0.25, within=head)
        if old:
            feet = [
                np.array([(side * 0.8, 0.02), (side * 0.98, -0.08 + 0.09 * index)], float) for index in (-0.2, 1, 2.2)
            ]
            canvas.stroke(feet, dark, 0.022, alpha=0.6, depth=0.1, within=head)
        if "Bags_Under_Eyes" in has:
            bag = arc(side * 0.5, 0.12, 0.26, 0.17, 15, 165)
            canvas.fill(
                ellipse(side * 0.5, 0.2, 0.25, 0.08), (84, 44, 62), alpha=0.5, soft=0.035, depth=0.25, within=head
            )
            canvas.stroke([bag], dark, 0.03, alpha=0.75, depth=0.25, within=head)
