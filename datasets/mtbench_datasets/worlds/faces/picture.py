"""Pictures of faces, and where their eyes, noses and mouths are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..draws import Draws
from .build import build
from .canvas import Array, Canvas, Pose
from .features import corners, paint_brows, paint_eyes, paint_mouth, paint_nose
from .hair import paint_beard, paint_hair, paint_hair_behind
from .head import lines_of_age, paint_ears, paint_head, paint_neck
from .persona import Persona
from .wear import paint_clothes, paint_earrings, paint_glasses, paint_hat

__all__ = ["LANDMARKS", "Drawn", "draw_picture"]

LANDMARKS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
"""Points of a face, in the order of list_landmarks_align_celeba.txt; left is left in the picture."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture and the places of the five landmarks.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
        landmarks: x and y in whole pixels of each of `LANDMARKS`.
    """

    pixels: NDArray[np.uint8]
    landmarks: Mapping[str, tuple[int, int]]


def draw_picture(persona: Persona, draws: Draws, size: tuple[int, int]) -> Drawn:
    """Return a picture of a face.

    Args:
        persona: its attributes.
        draws: random numbers for all else.
        size: (height, width).
    """
    height, width = size
    unit = height / 218
    pose = Pose(
        x=width / 2 + unit * draws.uniform(-5, 5),
        y=height * 0.45 + unit * draws.uniform(-5, 5),
        scale=unit * draws.uniform(38, 45),
        roll=draws.middling(-9, 9),
        yaw=draws.middling(-0.3, 0.3),
        pitch=draws.middling(-0.12, 0.12),
    )
    shape = build(persona, draws)
    canvas = Canvas(size, pose)
    _background(canvas, draws)
    light = _light(draws, size)  # before the face, of which some attributes take more random numbers than others
    has = persona.has
    hat = "Wearing_Hat" in has
    paint_hair_behind(canvas, shape, persona, draws)
    paint_neck(canvas, shape, persona)
    paint_clothes(canvas, persona, draws)
    paint_ears(canvas, shape)
    head = paint_head(canvas, shape, persona)
    paint_nose(canvas, shape, persona, head)
    lines_of_age(canvas, shape, persona, head)
    paint_beard(canvas, shape, persona, head, draws)
    paint_mouth(canvas, shape, persona, draws)
    paint_eyes(canvas, shape, persona, draws)
    paint_brows(canvas, shape, persona, draws)
    paint_hair(canvas, shape, persona, draws, hat=hat)
    if "Wearing_Earrings" in has:
        paint_earrings(canvas, draws)
    if "Eyeglasses" in has:
        paint_glasses(canvas, persona, draws)
    if hat:
        paint_hat(canvas, draws)
    wide, corner = corners(shape)
    places = [(-0.5, 0, 0.22), (0.5, 0, 0.22), (0, 0.65, 0.55), (-wide, corner, 0.35), (wide, corner, 0.35)]
    landmarks = {}
    for name, (x, y, depth) in zip(LANDMARKS, places, strict=True):
        across, down = pose.place(np.array([(x, y)], float), depth)[0]
        landmarks[name] = (round(float(across)), round(float(down)))
    return Drawn(pixels=_developed(canvas.image, size, light, blurry="Blurry" in has), landmarks=landmarks)


def _background(canvas: Canvas, draws: Draws) -> None:
    """Paint a room out of focus: a few colors, the one fading into the other."""
    grid = 255 * (0.15 + 0.75 * draws.uniform()) * np.ones((4, 3, 3)) * (0.7 + 0.6 * draws.array(1, 1, 3))
    grid = np.clip(grid * (0.75 + 0.5 * draws.array(4, 3, 1)) * (0.9 + 0.2 * draws.array(4, 3, 3)), 0, 255)
    small = Image.fromarray(grid.astype(np.uint8))
    canvas.image.paste(small.resize(canvas.image.size, Image.Resampling.BICUBIC))


@dataclass(frozen=True, kw_only=True)
class _Light:
    """Factors (H, W, 3) of light, and noise (H, W, 1) that is added; how far a blurry picture is out of focus."""

    factor: Array
    noise: Array
    blur: float


def _light(draws: Draws, size: tuple[int, int]) -> _Light:
    height, width = size
    across = np.linspace(-1, 1, width)[None, :, None] * draws.uniform(-0.22, 0.22)
    down = np.linspace(-1, 1, height)[:, None, None] * draws.uniform(-0.12, 0.06)
    tint = 1 + draws.uniform(-0.06, 0.06) * np.array([1.0, 0.0, -1.0])
    return _Light(
        factor=draws.uniform(0.82, 1.1) * (1 + across + down) * tint,
        noise=5.0 * (draws.array(height, width, 1) + draws.array(height, width, 1) - 1),
        blur=draws.uniform(2.6, 3.4) * height / 218,
    )


def _developed(image: Image.Image, size: tuple[int, int], light: _Light, *, blurry: bool) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) in its light and, if it is blurry, out of focus."""
    height, width = size
    small = image.resize((width, height), Image.Resampling.BOX)
    if blurry:
        small = small.filter(ImageFilter.GaussianBlur(light.blur))
    shown: Array = np.asarray(small, float) * light.factor + light.noise
    pixels: NDArray[np.uint8] = (shown + 0.5).clip(0, 255).astype(np.uint8)
    return pixels
