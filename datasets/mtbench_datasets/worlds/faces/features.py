"""Eyes, eyebrows, nose and mouth."""

import numpy as np
from PIL import Image

from ..draws import Draws
from .build import Build, mix
from .canvas import Canvas, Color, arc, ellipse, smooth
from .persona import Persona

__all__ = ["MOUTH", "corners", "paint_brows", "paint_eyes", "paint_mouth", "paint_nose"]

MOUTH = 1.15
"""Height of the middle of the mouth."""
DARK: Color = (60, 28, 22)
BLACK: Color = (24, 18, 20)


def paint_eyes(canvas: Canvas, build: Build, persona: Persona, draws: Draws) -> None:
    """Paint eyes, lids, lashes and make-up on them."""
    has = persona.has
    made_up = "Heavy_Makeup" in has
    shadow = draws.pick([(96, 60, 130), (60, 80, 140), (130, 80, 60), (70, 70, 80)])
    gaze = draws.uniform(-0.05, 0.05)
    wide, high = 0.235, build.opening
    for side in (-1, 1):
        x = 0.5 * side
        outline = [
            (x - side * wide, 0.025),
            (x - side * 0.1, -high * 0.92),
            (x + side * 0.06, -high),
            (x + side * wide, -0.015),
            (x + side * 0.08, high * 0.8),
            (x - side * 0.1, high * 0.75),
        ]
        lid = smooth(outline)
        socket = ellipse(x, -0.06, 0.33, 0.2)
        canvas.fill(socket, mix(build.skin, DARK, 0.5), alpha=0.35, soft=0.07, depth=0.2)
        if made_up:
            above = smooth([(x - side * 0.25, 0.0), (x - side * 0.05, -0.24), (x + side * 0.36, -0.16)])
            canvas.fill(above, shadow, alpha=0.75, soft=0.03, depth=0.22)
        opening = canvas.mask(lid, 0.22)
        canvas.cover(opening, (242, 238, 234))
        canvas.fill(ellipse(x + gaze, 0, 0.12, 0.12), mix(build.iris, BLACK, 0.4), depth=0.22, within=opening)
        canvas.fill(ellipse(x + gaze, 0, 0.095, 0.095), build.iris, depth=0.22, within=opening)
        canvas.fill(ellipse(x + gaze, 0, 0.05, 0.05), BLACK, depth=0.22, within=opening)
        canvas.fill(ellipse(x + gaze - 0.035, -0.035, 0.022, 0.022), (255, 255, 255), depth=0.22, within=opening)
        upper = smooth(
            [(x - side * wide, 0.025), (x - side * 0.1, -high * 0.92), (x + side * 0.06, -high), (x + side * wide, 0)],
            closed=False,
        )
        lashes = 0.0 if "Male" in has else 0.02
        canvas.stroke([upper], BLACK, 0.04 + lashes + 0.025 * made_up, depth=0.22)
        if "Male" not in has:
            wing = np.array([(x + side * wide, 0.0), (x + side * (wide + 0.07), -0.06)])
            canvas.stroke([wing], BLACK, 0.035 + 0.02 * made_up, depth=0.2)
        lower = lid[len(lid) // 2 :]
        canvas.stroke([lower], mix(build.skin, DARK, 0.7), 0.02, alpha=0.7, depth=0.22)
        crease = arc(x, -0.02, 0.25, high + 0.075, 200, 340)
        canvas.stroke([crease], mix(build.skin, DARK, 0.7), 0.022, alpha=0.6, depth=0.22)


def paint_brows(canvas: Canvas, build: Build, persona: Persona, draws: Draws) -> None:
    """Paint the eyebrows: straight or arched, thin or bushy."""
    has = persona.has
    arched, bushy, male = "Arched_Eyebrows" in has, "Bushy_Eyebrows" in has, "Male" in has
    thick = 0.15 if bushy else 0.065 + 0.02 * male
    color = mix(build.hair, (50, 34, 26), 0.6 if persona.hair != "gray" else 0.25)
    rise = 0.19 if arched else 0.03
    for side in (-1, 1):
        y = build.brow
        middle = smooth(
            [
                (side * 0.2, y + 0.04 * arched),
                (side * 0.42, y - rise * 0.5),
                (side * 0.6, y - rise),
                (side * 0.86, y + 0.05 + 0.03 * arched),
            ],
            closed=False,
        )
        taper = thick / 2 * np.interp(np.linspace(0, 1, len(middle)), [0, 0.3, 0.7, 1], [0.8, 1.0, 0.9, 0.25])
        band = np.concatenate([middle - taper[:, None] * [0, 1], (middle + taper[:, None] * [0, 1])[::-1]])
        canvas.fill(band, color, alpha=0.95, soft=0.008, depth=0.22)
        if bushy:
            hairs = []
            for _ in range(26):
                at = middle[draws.below(len(middle) - 4)]
                foot = at + np.array([0, draws.uniform(-0.05, 0.07)])
                tip = foot + np.array([side * draws.uniform(0.02, 0.09), -draws.uniform(0.05, 0.12)])
                hairs.append(np.array([foot, tip]))
            canvas.stroke(hairs, color, 0.022, depth=0.22)


def paint_nose(canvas: Canvas, build: Build, persona: Persona, head: Image.Image) -> None:
    """Paint the nose, wide or narrow."""
    big = "Big_Nose" in persona.has
    wide, tip, low = (0.37, 0.24, 0.8) if big else (0.22, 0.14, 0.72)
    dark, light = mix(build.skin, DARK, 0.55), mix(build.skin, (255, 250, 242), 0.5)
    for side in (-1, 1):
        bridge = [(side * 0.14, -0.1), (side * 0.09, 0.2), (side * wide * 0.72, low - 0.16), (side * 0.05, 0.3)]
        canvas.fill(smooth(bridge), dark, alpha=0.4, soft=0.04, depth=0.4, within=head)
        wing = arc(side * (wide - 0.08), low - 0.05, 0.1, 0.12, -90 if side > 0 else 90, 90 if side > 0 else 270)
        canvas.stroke([wing], dark, 0.03 + 0.012 * big, alpha=0.85, soft=0.006, depth=0.45, within=head)
        canvas.fill(
            ellipse(side * wide * 0.5, low + 0.02, 0.075 + 0.03 * big, 0.035), DARK, alpha=0.85, depth=0.48, within=head
        )
    canvas.fill(ellipse(0, low + 0.09, wide * 1.05, 0.06), dark, alpha=0.45, soft=0.03, depth=0.4, within=head)
    canvas.fill(ellipse(0, low - 0.1, tip * 0.7, tip * 0.6), light, alpha=0.7, soft=0.04, depth=0.55, within=head)
    canvas.fill(ellipse(0, 0.25, 0.05, 0.3), light, alpha=0.5, soft=0.03, depth=0.45, within=head)
    if big:
        canvas.stroke([arc(0, low - 0.06, tip, 0.17, 20, 160)], dark, 0.03, alpha=0.7, depth=0.52, within=head)


def corners(build: Build) -> tuple[float, float]:
    """Return half the width of the mouth, and the height of its corners."""
    return (0.48, MOUTH - build.smile) if build.smile > 0.1 else (0.34, MOUTH - build.smile)


def paint_mouth(canvas: Canvas, build: Build, persona: Persona, draws: Draws) -> None:
    """Paint the mouth: open or closed, smiling or not, with thin or full lips, painted or not."""
    has = persona.has
    smiling, opened, full = "Smiling" in has, "Mouth_Slightly_Open" in has, "Big_Lips" in has
    wide, corner = corners(build)
    natural = mix(build.skin, (176, 70, 74), 0.5)
    color = draws.pick([(186, 22, 48), (206, 40, 90), (150, 20, 44)]) if "Wearing_Lipstick" in has else natural
    lip = (0.15 if full else 0.065) * draws.uniform(0.92, 1.08)
    wideness = draws.uniform()
    gap = (0.13 + 0.04 * wideness if smiling else 0.11 + 0.05 * wideness) if opened else 0.0
    middle = MOUTH + 0.02 * smiling
    depth = 0.35
    top, low = middle - gap * (0.25 if smiling else 0.5), middle + gap * (1.0 if smiling else 0.6)

    def curve(y: float, sag: float = 0.0) -> list[tuple[float, float]]:
        """Return the points from the left corner to the right one through (0, y)."""
        half = wide * 0.55
        at = y * 0.72 + corner * 0.28 + sag
        return [(-wide, corner), (-half, at), (0.0, y), (half, at), (wide, corner)]

    upper, lower = curve(top), curve(low)
    bow = [
        (-wide, corner),
        (-wide * 0.5, (top + corner) / 2 - lip * 0.75),
        (-0.08, top - lip * 1.1),
        (0, top - lip * 0.85),
    ]
    bow += [(-x, y) for x, y in reversed(bow[:-1])]
    canvas.fill(np.concatenate([smooth(bow, closed=False), smooth(upper, closed=False)[::-1]]), color, depth=depth)
    rim = [(-wide, corner), (-wide * 0.55, low * 0.72 + corner * 0.28 + lip * 1.0), (0, low + lip * 1.35)]
    rim += [(-x, y) for x, y in reversed(rim[:-1])]
    bright = mix(color, (255, 235, 230), 0.16)
    canvas.fill(np.concatenate([smooth(rim, closed=False), smooth(lower, closed=False)[::-1]]), bright, depth=depth)
    canvas.fill(ellipse(0, low + lip * 0.75, 0.12, lip * 0.25), (255, 240, 236), alpha=0.4, soft=0.02, depth=depth)
    if opened:
        hole = np.concatenate([smooth(upper, closed=False), smooth(lower, closed=False)[::-1]])
        inside = canvas.mask(hole, depth)
        canvas.cover(inside, (70, 18, 22))
        if smiling:
            teeth = np.concatenate([hole[: len(hole) // 2], (smooth(curve(low - 0.045), closed=False))[::-1]])
            canvas.fill(teeth, (248, 246, 240), depth=depth, within=inside)
        else:
            canvas.fill(ellipse(0, top, wide * 0.6, 0.055), (240, 236, 228), depth=depth, within=inside)
    else:
        canvas.stroke([smooth(upper, closed=False)], mix(color, DARK, 0.75), 0.035, depth=depth)
    for side in (-1, 1):
        if smiling:
            dimple = arc(side * (wide + 0.035), corner, 0.06, 0.12, -70 if side > 0 else 110, 70 if side > 0 else 250)
            canvas.stroke([dimple], mix(build.skin, DARK, 0.6), 0.03, alpha=0.8, depth=0.3)
    under = ellipse(0, low + lip * 1.35 + 0.09, 0.2, 0.04)
    canvas.fill(under, mix(build.skin, DARK, 0.5), alpha=0.35, soft=0.03, depth=0.3)
