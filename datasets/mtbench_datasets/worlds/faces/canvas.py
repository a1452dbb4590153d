"""A sheet that is painted on in the axes of a face, at several samples per pixel.

Places are (x, y), to the right of the picture and down, from between the eyes, in distances of the eyes; `depth` is how
far a thing stands out of the face, which decides how much it moves as the head turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ..curve import curve
from ..draws import Draws

__all__ = ["SAMPLES", "Array", "Canvas", "Color", "Pose", "arc", "ellipse", "mirror", "smooth"]

SAMPLES = 2
"""Samples per pixel along each axis."""

Array = NDArray[np.float64]
Color = tuple[float, float, float]
"""sRGB of 0 to 255."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """The place of a face in a picture.

    Attributes:
        x, y: pixels of the place between the eyes.
        scale: pixels between the eyes.
        roll: degrees, clockwise.
        yaw, pitch: shift of a point of depth 1 to the right and down, in distances of the eyes.
    """

    x: float
    y: float
    scale: float
    roll: float
    yaw: float
    pitch: float

    def place(self, points: Array, depth: float = 0.0) -> Array:
        """Return the pixels (N, 2) of points (N, 2)."""
        x, y = points[:, 0], points[:, 1]
        narrowed = x * (1 - 0.22 * self.yaw * x * np.abs(x).clip(0, 1)) + self.yaw * depth  # the far side is narrower
        lifted = y + self.pitch * depth
        angle = np.deg2rad(self.roll)
        turned = (narrowed * np.cos(angle) - lifted * np.sin(angle), narrowed * np.sin(angle) + lifted * np.cos(angle))
        return np.stack([self.x + self.scale * turned[0], self.y + self.scale * turned[1]], 1)


class Canvas:
    """A picture in the making.

    Args:
        size: (height, width) in pixels.
        pose: the face's place.
    """

    def __init__(self, size: tuple[int, int], pose: Pose) -> None:
        self.pose = pose
        self.image = Image.new("RGB", (size[1] * SAMPLES, size[0] * SAMPLES))

    def mask(self, points: Array, depth: float = 0.0) -> Image.Image:
        """Return the whole sheet's mask of a polygon."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon(self._flat(points, depth), fill=255)
        return mask

    def fill(
        self,
        points: Array,
        color: Color,
        *,
        alpha: float = 1.0,
        soft: float = 0.0,
        depth: float = 0.0,
        within: Image.Image | None = None,
    ) -> None:
        """Paint a polygon.

        Args:
            points: (N, 2).
            color: its color.
            alpha: opacity.
            soft: width of its blurred rim, in distances of the eyes.
            depth: see `Pose`.
            within: a mask of the whole sheet beyond which nothing is painted.
        """
        flat = self._flat(points, depth)
        box, blur = self._box(flat, 2.5 * soft), soft * self.pose.scale * SAMPLES
        if box is None:
            return
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in flat], fill=round(255 * alpha))
        self._paint(mask, box, color, blur, within)

    def stroke(
        self,
        lines: Sequence[Array],
        color: Color,
        width: float,
        *,
        alpha: float = 1.0,
        soft: float = 0.0,
        depth: float = 0.0,
        within: Image.Image | None = None,
    ) -> None:
        """Paint lines of a width in distances of the eyes, with round ends; other arguments as in `fill`."""
        paths = [self._flat(line, depth) for line in lines]
        box = self._box([point for path in paths for point in path], width + 2.5 * soft)
        if box is None:
            return
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        pen, shade = ImageDraw.Draw(mask), round(255 * alpha)
        thick = max(1, round(width * self.pose.scale * SAMPLES))
        for path in paths:
            moved = [(x - box[0], y - box[1]) for x, y in path]
            pen.line(moved, fill=shade, width=thick, joint="curve")
            if thick > 2:
                for x, y in (moved[0], moved[-1]):
                    half = thick / 2 - 0.5
                    pen.ellipse((x - half, y - half, x + half, y + half), fill=shade)
        self._paint(mask, box, color, soft * self.pose.scale * SAMPLES, within)

    def cover(self, mask: Image.Image, color: Color, alpha: float = 1.0) -> None:
        """Paint the whole sheet through a mask."""
        shade = mask if alpha == 1 else mask.point([round(alpha * value) for value in range(256)])
        self.image.paste(_rgb(color), mask=shade)

    def speckle(self, mask: Image.Image, color: Color, draws: Draws, *, share: float, alpha: float) -> None:
        """Paint random dots of about a third of a pixel's width through a mask, on a fraction of it."""
        width, height = mask.size
        dots = (draws.array(height // 2 + 1, width // 2 + 1) < share).astype(np.uint8) * round(255 * alpha)
        grown = Image.fromarray(dots).resize((2 * (width // 2 + 1), 2 * (height // 2 + 1)), Image.Resampling.NEAREST)
        self.cover(ImageChops.multiply(mask, grown.crop((0, 0, width, height))), color)

    def _flat(self, points: Array, depth: float) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in SAMPLES * self.pose.place(points, depth)]

    def _box(self, flat: Sequence[tuple[float, float]], rim: float) -> tuple[int, int, int, int] | None:
        """Return left, top, right and bottom about points, within the sheet; None if nothing is in it."""
        more = rim * self.pose.scale * SAMPLES + 2
        xs, ys = [x for x, _ in flat], [y for _, y in flat]
        left, top = max(0, int(min(xs) - more)), max(0, int(min(ys) - more))
        right = min(self.image.width, int(max(xs) + more) + 1)
        bottom = min(self.image.height, int(max(ys) + more) + 1)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _paint(
        self, mask: Image.Image, box: tuple[int, int, int, int], color: Color, blur: float, within: Image.Image | None
    ) -> None:
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur))
        if within is not None:
            mask = ImageChops.multiply(mask, within.crop(box))
        self.image.paste(_rgb(color), box, mask)


def smooth(points: Sequence[tuple[float, float]] | Array, *, closed: bool = True, steps: int = 8) -> Array:
    """Return a curve (N, 2) through points, see `curve`."""
    return curve(np.asarray(points, float), steps, closed=closed)


def ellipse(x: float, y: float, wide: float, high: float) -> Array:
    """Return an ellipse (N, 2) of half a width and half a height about a place."""
    return arc(x, y, wide, high, 0, 360)


def arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> Array:
    """Return a part of an ellipse, from one angle to another in degrees, clockwise from the right."""
    angles = np.deg2rad(np.linspace(start, end, 25))
    return np.stack([x + wide * np.cos(angles), y + high * np.sin(angles)], 1)


def mirror(half: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a closed outline from its right half, which runs from top to bottom; points on the axis stay single."""
    return list(half) + [(-x, y) for x, y in reversed(half) if x]


def _rgb(color: Color) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, round(value))) for value in color)
    return red, green, blue
