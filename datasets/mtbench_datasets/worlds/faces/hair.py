"""Hair of the head and of the face."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ..draws import Draws
from .build import Build, mix
from .canvas import SAMPLES, Array, Canvas, Color, ellipse, mirror, smooth
from .features import MOUTH, corners
from .persona import Persona

__all__ = ["paint_beard", "paint_hair", "paint_hair_behind"]

BLACK: Color = (20, 16, 16)


def paint_hair_behind(canvas: Canvas, build: Build, persona: Persona, draws: Draws) -> None:
    """Paint the hair behind the head."""
    if not persona.long:
        return
    wide, low = draws.uniform(1.34, 1.5), draws.uniform(2.1, 2.7)
    half = [(0.0, -1.64), (0.66, -1.44), (1.16, -0.8), (wide - 0.08, 0.2), (wide, 1.3), (wide - 0.1, low), (0.4, low)]
    outline = _waved(smooth(mirror([*half, (0.0, low)])), persona, draws)
    back = mix(build.hair, BLACK, 0.3)
    canvas.fill(outline, back, depth=-0.35)
    _strands(canvas, canvas.mask(outline, -0.35), build, persona, draws, -0.35, dark=0.45)


def paint_hair(canvas: Canvas, build: Build, persona: Persona, draws: Draws, *, hat: bool) -> None:
    """Paint the hair on the head; under a hat the part below it."""
    has = persona.has
    if "Bald" in has:
        if persona.fringe:
            for side in (-1, 1):
                patch = smooth([(side * 1.0, -0.62), (side * 1.16, -0.3), (side * 1.12, 0.14), (side * 0.99, 0.1)])
                canvas.fill(patch, build.hair, alpha=0.9, soft=0.03, depth=-0.05)
        shine = ellipse(-0.3, -1.08, 0.3, 0.16)
        canvas.fill(shine, mix(build.skin, (255, 255, 255), 0.8), alpha=0.65, soft=0.07, depth=0.1)
        return
    cap = canvas.mask(_waved(_cap(persona, draws), persona, draws), -0.02)
    line = Image.new("L", cap.size)
    forehead = canvas.mask(_forehead(persona, draws), 0.12)
    line.paste(255, mask=forehead)
    shape = ImageChops.subtract(cap, line)
    canvas.cover(
        shape.filter(ImageFilter.GaussianBlur(0.02 * canvas.pose.scale * SAMPLES)), mix(build.hair, BLACK, 0.25)
    )
    canvas.cover(shape, build.hair)
    _strands(canvas, shape, build, persona, draws, 0.0, dark=0.35)
    if "Bangs" in has and not hat:
        _bangs(canvas, build, persona, draws)


def _cap(persona: Persona, draws: Draws) -> Array:
    """Return the outer outline of the hair on the head."""
    thick = 0.02 if persona.has & {"Receding_Hairline"} and not persona.long else draws.uniform(0.12, 0.22)
    if persona.long:
        low = draws.uniform(1.3, 2.0)
        half = [
            *((0.0, -1.56 - thick), (0.6, -1.42 - thick), (1.04, -0.98 - thick / 2), (1.28, -0.2), (1.36, 0.6)),
            *((1.42, low), (1.12, low + 0.1), (1.06, 0.7), (1.0, 0.1), (0.9, 0.0), (0.0, 0.0)),
        ]
    else:
        low = 0.12
        half = [
            *((0.0, -1.52 - thick), (0.55, -1.4 - thick), (0.95, -1.0 - thick), (1.14, -0.45), (1.13, low)),
            *((1.0, low + 0.08), (0.97, -0.1), (0.0, -0.1)),
        ]
    return smooth(mirror(half))


def _forehead(persona: Persona, draws: Draws) -> Array:
    """Return the part of the face that no hair covers."""
    parting = draws.uniform(-0.3, 0.3)
    if "Receding_Hairline" in persona.has:
        upper = [(0.99, -0.3), (0.93, -0.86), (0.62, -1.42), (0.34, -1.3), (0.0, -1.14)]
    elif persona.long:
        upper = [(0.97, 0.1), (0.92, -0.5), (0.62, -0.88), (parting + 0.02, -1.16), (parting, -1.17)]
        left = [(-0.97, 0.1), (-0.92, -0.5), (-0.62, -0.88), (parting - 0.02, -1.16)]
        return np.array([(1.0, 2.4), *smooth(upper, closed=False), *smooth(left, closed=False)[::-1], (-1.0, 2.4)])
    else:
        upper = [(0.96, -0.15), (0.9, -0.62), (0.7, -0.92), (0.35, -1.02), (0.0, -1.0)]
    right = smooth(upper, closed=False)
    return np.array([(1.0, 2.4), *right, *(right[::-1] * [-1, 1]), (-1.0, 2.4)])


def _bangs(canvas: Canvas, build: Build, persona: Persona, draws: Draws) -> None:
    """Paint hair over the forehead, down to the eyebrows."""
    low = draws.uniform(-0.5, -0.4)
    count = 9
    steps = np.linspace(0.99, -0.99, count)
    lower = []
    for index, x in enumerate(steps):
        lower.append((float(x), low - 0.1 * (1 - x * x) * 0.4 + draws.uniform(-0.03, 0.03)))
        if index < count - 1:
            lower.append((float(x) - 0.09, low - 0.17))
    outline = np.array(
        [*smooth([(-0.99, -0.5), (-0.8, -1.1), (0, -1.5), (0.8, -1.1), (0.99, -0.5)], closed=False), *lower]
    )
    canvas.fill(outline + np.array([0, 0.035]), mix(build.skin, (60, 28, 22), 0.6), alpha=0.5, soft=0.02, depth=0.15)
    canvas.fill(outline, mix(build.hair, BLACK, 0.08), depth=0.15)
    _strands(canvas, canvas.mask(outline, 0.15), build, persona, draws, 0.15, dark=0.35)


def _strands(
    canvas: Canvas, within: Image.Image, build: Build, persona: Persona, draws: Draws, depth: float, *, dark: float
) -> None:
    """Paint lines along the hair: straight ones, waves, or, of hair that is neither, none but a few short ones."""
    has = persona.has
    straight, wavy = "Straight_Hair" in has, "Wavy_Hair" in has
    bright = 0.2 if sum(build.hair) < 150 else 0.4
    for color, alpha in ((mix(build.hair, BLACK, dark), 0.7), (mix(build.hair, (255, 246, 230), bright), 0.55)):
        lines = []
        for _ in range(26 if wavy else 34 if straight else 0):
            angle = draws.uniform(-90, 90)
            start = np.array([np.sin(np.deg2rad(angle)) * 0.35, -1.62 + 0.1 * abs(angle) / 90])
            end = np.array([np.sin(np.deg2rad(angle)) * 1.34, 0.2 * np.cos(np.deg2rad(angle)) - 0.15])
            t = np.linspace(0, 1, 30)[:, None]
            line = start * (1 - t) + end * t + [np.sign(angle) * 0.22, -0.32] * (4 * t * (1 - t))
            if persona.long:
                drop = np.stack([np.full(30, line[-1, 0]), np.linspace(line[-1, 1], 2.6, 30)], 1)
                line = np.concatenate([line, drop[1:]])
            if wavy:
                way = np.cumsum(np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T)]))
                bend = 0.075 * np.sin(2 * np.pi * (way / 0.44 + draws.uniform()))
                line = line + np.stack([bend, 0.4 * bend], 1)
            lines.append(line)
        if lines:
            canvas.stroke(lines, color, 0.045 if wavy else 0.022, alpha=alpha, depth=depth, within=within)
    if not straight and not wavy:
        canvas.speckle(within, mix(build.hair, BLACK, 0.5), draws, share=0.3, alpha=0.35)


def _waved(outline: Array, persona: Persona, draws: Draws) -> Array:
    """Return an outline with waves, where the hair has them."""
    if "Wavy_Hair" not in persona.has:
        return outline
    step = np.diff(outline, axis=0, append=outline[:1])
    way = np.cumsum(np.hypot(*step.T))
    out = np.stack([step[:, 1], -step[:, 0]], 1) / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    bumps = round(way[-1] / 0.42)
    waved: Array = outline + out * (0.06 * np.sin(2 * np.pi * (bumps * way / way[-1] + draws.uniform())))[:, None]
    return waved


def paint_beard(canvas: Canvas, build: Build, persona: Persona, head: Image.Image, draws: Draws) -> None:
    """Paint beard, mustache, sideburns, or their shadow."""
    has, color = persona.has, mix(build.hair, (50, 34, 26), 0.35 if persona.hair != "gray" else 0.1)
    cheek, lip, chin = _regions(build)
    cheeks = [cheek, cheek * [-1, 1]]
    if persona.beard == "shadow":
        area = _united(canvas, [*cheeks, lip])
        kept = ImageChops.multiply(head, area.filter(ImageFilter.GaussianBlur(0.05 * canvas.pose.scale * SAMPLES)))
        canvas.cover(kept, (74, 74, 88), 0.3)
        canvas.speckle(kept, (40, 36, 40), draws, share=0.25, alpha=0.3)
    if persona.beard == "full":
        _furry(canvas, _united(canvas, cheeks), color, draws)
    if persona.beard == "goatee":
        _furry(canvas, _united(canvas, [chin]), color, draws)
    if "Mustache" in has:
        _furry(canvas, _united(canvas, [lip]), color, draws)
    if "Sideburns" in has:
        strips = []
        for side in (-1, 1):
            strips.append(np.array([(side * x, y) for x, y in ((1.1, -0.3), (0.82, -0.3), (0.8, 0.72), (1.07, 0.8))]))
        _furry(canvas, _united(canvas, strips), mix(color, build.hair, 0.6), draws)


def _regions(build: Build) -> tuple[Array, Array, Array]:
    """Return the places of facial hair: the right half of cheeks and chin, above the lip, on the chin alone."""
    wide, corner = corners(build)
    jaw, chin = build.jaw, build.chin
    outer = [(1.1, 0.3), (build.cheek + 0.05, 0.7), (jaw + 0.07, 1.12), (jaw * 0.74, chin - 0.14), (0.0, chin + 0.16)]
    inner = [(0.0, MOUTH + 0.32), (0.2, MOUTH + 0.3), (wide + 0.02, corner + 0.16), (wide + 0.2, 0.98), (0.92, 0.5)]
    cheeks = np.concatenate([smooth(outer, closed=False), smooth(inner, closed=False)])
    above = [(0.0, 0.92), (0.24, 0.9), (wide + 0.1, corner + 0.0), (wide + 0.12, corner + 0.14), (wide, corner + 0.02)]
    lip = np.array(smooth(mirror([*above, (0.2, MOUTH - 0.08), (0.0, MOUTH - 0.07)])))
    tip = [(0.0, MOUTH + 0.24), (0.14, MOUTH + 0.27), (0.4, MOUTH + 0.2), (0.46, chin - 0.16), (0.28, chin + 0.1)]
    return cheeks, lip, smooth(mirror([*tip, (0.0, chin + 0.15)]))


def _united(canvas: Canvas, outlines: Sequence[Array]) -> Image.Image:
    mask = canvas.mask(outlines[0], 0.15)
    for outline in outlines[1:]:
        mask = ImageChops.lighter(mask, canvas.mask(outline, 0.15))
    return mask


def _furry(canvas: Canvas, mask: Image.Image, color: Color, draws: Draws) -> None:
    """Paint a region of hair with a ragged rim."""
    box = mask.getbbox()
    if box is None:
        return
    rim = ImageDraw.Draw(mask)
    unit = canvas.pose.scale * SAMPLES
    inside = np.argwhere(np.asarray(mask))[:, ::-1]
    for _ in range(160):
        x, y = inside[draws.below(len(inside))]
        dx, dy = draws.uniform(-0.03, 0.03) * unit, draws.uniform(0.02, 0.08) * unit
        rim.line((x, y, x + dx, y + dy), fill=255, width=max(1, round(0.02 * unit)))
    mask = mask.filter(ImageFilter.GaussianBlur(0.012 * unit))
    canvas.cover(mask, color, 0.94)
    canvas.speckle(mask, mix(color, BLACK, 0.7), draws, share=0.3, alpha=0.4)
    canvas.speckle(mask, mix(color, (255, 240, 220), 0.3), draws, share=0.1, alpha=0.4)
