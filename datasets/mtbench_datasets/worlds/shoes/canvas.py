"""From the parts of a drawing to pixels: outlines are filled, curve toward the viewer, and are lit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from ..draws import Draws
from .sketch import Part, Points

__all__ = ["render"]

SAMPLES = 3
"""Samples per pixel along each axis."""
RIM = 1.6
"""Samples over which colors darken toward a rim."""
MARGIN = 0.035
"""Margin about the shoe, as a fraction of the picture's sides."""
LIGHT = (-0.38, -0.62, 0.69)
"""Direction toward the light: x to the right, y down, z toward the viewer."""
GLOSS = {"Patent": 0.75, "Leather": 0.26, "smooth": 0.12}
GRAIN = {"Suede": 0.05, "Mesh": 0.0, "Canvas": 0.03, "Wool": 0.12, "Shearling": 0.08, "fuzz": 0.10, "Leather": 0.015}
Floats = NDArray[np.float32]


def render(parts: Sequence[Part], size: tuple[int, int], draws: Draws) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of a drawing on white, as large as fits.

    Args:
        parts: from the back to the front.
        size: (height, width) in pixels.
        draws: for the grain of materials.
    """
    shape = size[0] * SAMPLES, size[1] * SAMPLES
    scale, origin = _frame(parts, shape)
    canvas = _Canvas(shape, draws)
    for part in parts:
        canvas.add(
            part, np.stack([origin[0] + scale * part.points[:, 0], origin[1] - scale * part.points[:, 1]], 1), scale
        )
    return canvas.pixels()


def _frame(parts: Sequence[Part], shape: tuple[int, int]) -> tuple[float, tuple[float, float]]:
    """Return samples per unit, and the sample at the origin."""
    points = np.concatenate([part.points for part in parts])
    low, high = points.min(0), points.max(0)
    room = (1 - 2 * MARGIN) * np.array([shape[1], shape[0]])
    scale = float((room / (high - low)).min())
    middle = (low + high) / 2
    return scale, (shape[1] / 2 - scale * float(middle[0]), shape[0] / 2 + scale * float(middle[1]))


class _Canvas:
    def __init__(self, shape: tuple[int, int], draws: Draws) -> None:
        self.shape = shape
        self.color = np.full((3, *shape), 255, np.float32)
        self.cover = np.zeros(shape, np.bool_)
        self.relief = np.zeros(shape, np.float32)
        self.gloss = np.zeros(shape, np.float32)
        self.masks: dict[str, NDArray[np.bool_]] = {}
        self.fine = (2 * draws.array(*shape) - 1).astype(np.float32)
        self.coarse = gaussian_filter(self.fine, 2.0) * 5
        self.draws = draws

    def add(self, part: Part, points: Points, scale: float) -> None:
        """Draw a part whose points are given in samples; all is done within a box about it, which saves time."""
        sigma = part.bulge * scale
        box = self._box(points, 0.8 * part.width * scale + 3 * sigma + 4)
        mask = self._mask(part, points - (box[1].start, box[0].start), scale, box)
        if part.within:
            mask &= self.masks[part.within][box] if part.within in self.masks else False
        if part.name:
            self.masks.setdefault(part.name, np.zeros(self.shape, np.bool_))[box] |= mask
        there = mask.astype(np.float32)
        color = np.array(part.color, np.float32)[:, None, None] * self._grain(part.texture, box)
        color *= 0.72 + 0.28 * np.clip(2 * _blurred(there, RIM) - 1, 0, 1)
        np.copyto(self.color[:, box[0], box[1]], color, where=mask)
        self.cover[box] |= mask
        np.copyto(self.gloss[box], GLOSS.get(part.texture, 0.04), where=mask)
        if sigma > 0:
            height = 2.2 * sigma * _blurred(there, sigma)
            if part.within or part.width:  # it is painted on an earlier part
                height = self.relief[box] + 0.6 * height
            np.copyto(self.relief[box], height, where=mask)

    def pixels(self) -> NDArray[np.uint8]:
        relief = gaussian_filter(self.relief, 0.8)
        down, right = np.gradient(relief)
        length = np.sqrt(down**2 + right**2 + 1)
        facing = (-LIGHT[0] * right - LIGHT[1] * down + LIGHT[2]) / length
        half = np.array((LIGHT[0], LIGHT[1], LIGHT[2] + 1))
        half = half / np.sqrt((half**2).sum())
        shine = np.clip((-half[0] * right - half[1] * down + half[2]) / length, 0, 1) ** 24
        lit = self.color * (0.52 + 0.66 * np.clip(facing, 0, 1)) + 255 * self.gloss * shine
        lit = np.where(self.cover, np.clip(lit, 0, 255), 255)
        height, width = self.shape[0] // SAMPLES, self.shape[1] // SAMPLES
        small = lit.reshape(3, height, SAMPLES, width, SAMPLES).mean((2, 4))
        rounded: NDArray[np.uint8] = (small + 0.5).astype(np.uint8).transpose(1, 2, 0).copy()
        return rounded

    def _grain(self, texture: str, box: tuple[slice, slice]) -> Floats:
        grain = 1 + GRAIN.get(texture, 0.0) * (self.fine[box] if texture in ("Suede", "Canvas") else self.coarse[box])
        if texture == "Mesh":
            rows, columns = np.ogrid[box[0], box[1]]
            grain = grain - 0.16 * (((rows + 2 * columns) % 6 < 2) & ((rows - 2 * columns) % 6 < 3))
        return np.asarray(grain, np.float32)

    def _box(self, points: Points, pad: float) -> tuple[slice, slice]:
        low, high = np.floor(points.min(0) - pad).astype(int), np.ceil(points.max(0) + pad).astype(int)
        top, left = (min(max(int(low[axis]), 0), self.shape[1 - axis] - 2) for axis in (1, 0))
        return slice(top, max(min(int(high[1]), self.shape[0]), top + 2)), slice(
            left, max(min(int(high[0]), self.shape[1]), left + 2)
        )

    def _mask(self, part: Part, points: Points, scale: float, box: tuple[slice, slice]) -> NDArray[np.bool_]:
        image = Image.new("L", (box[1].stop - box[1].start, box[0].stop - box[0].start))
        pen = ImageDraw.Draw(image)
        places = [(x, y) for x, y in points.tolist()]
        if not part.width:
            pen.polygon(places, fill=255)
        elif part.texture == "fuzz":
            self._tufts(pen, points, part.width * scale / 2)
        else:
            width = max(2, round(part.width * scale))
            pen.line(places, fill=255, width=width, joint="curve")
            for x, y in (places[0], places[-1]):
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
        return np.asarray(image) > 0

    def _tufts(self, pen: ImageDraw.ImageDraw, points: Points, radius: float) -> None:
        """Draw a fluffy line."""
        lengths = np.sqrt((np.diff(points, axis=0) ** 2).sum(1)).cumsum()
        count = max(4, int(lengths[-1] / (0.35 * radius)))
        place = np.linspace(0, lengths[-1], count)
        starts = np.concatenate([[0], lengths])
        spots = np.stack([np.interp(place, starts, points[:, axis]) for axis in range(2)], 1)
        moves = self.draws.array(count, 3)
        for (x, y), (right, down, large) in zip(spots.tolist(), moves.tolist(), strict=True):
            r = radius * (0.7 + 0.5 * large)
            x, y = x + 0.6 * radius * (right - 0.5), y + 0.6 * radius * (down - 0.5)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _blurred(values: Floats, sigma: float) -> Floats:
    """Return values blurred by a Gaussian; wide ones are blurred on a coarser grid, which is faster."""
    step = int(sigma // 2.5)
    if step < 2:
        return np.asarray(gaussian_filter(values, sigma, mode="constant", truncate=2.5), np.float32)
    rows, columns = (-(-side // step) * step for side in values.shape)
    padded = np.zeros((rows, columns), np.float32)
    padded[: values.shape[0], : values.shape[1]] = values
    small = padded.reshape(rows // step, step, columns // step, step).mean((1, 3))
    small = gaussian_filter(small, sigma / step, mode="constant", truncate=2.5)
    image = Image.fromarray(small).resize((columns, rows), Image.Resampling.BILINEAR)
    return np.asarray(image)[: values.shape[0], : values.shape[1]]
