"""Colors of a picture: the part of the bird that each sample belongs to, its plumage, and light."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..draws import Draws
from .anatomy import Anatomy, Label
from .species import Plumage
from .sweeps import Array, Buffer
from .vocabulary import PART_GROUP, PARTS, RGB

__all__ = ["NOWHERE", "Light", "noise", "paint", "regions"]

NOWHERE = -1
"""Region of samples that belong to no part of a bird, or to none with a name."""
INDEX = {part: index for index, part in enumerate(PARTS)}
WHOLE = {
    Label.BEAK: "beak",
    Label.TAIL: "tail",
    Label.LEFT_WING: "left wing",
    Label.RIGHT_WING: "right wing",
    Label.LEFT_EYE: "left eye",
    Label.RIGHT_EYE: "right eye",
    Label.LEFT_LEG: "left leg",
    Label.RIGHT_LEG: "right leg",
}
"""Solids that are a part each."""
HEAD = {
    "forehead": (0.76, 0.65, 0.0),
    "crown": (-0.12, 0.99, 0.0),
    "nape": (-0.96, 0.28, 0.0),
    "throat": (0.42, -0.91, 0.0),
    "right": (0.25, -0.10, 0.96),
    "left": (0.25, -0.10, -0.96),
}
"""Directions, along forward, up and right of the head, about which its regions lie; right and left are the cheeks."""
SHEEN = ((12, 84, 70), (20, 176, 152), (64, 60, 150), (196, 58, 176), (60, 70, 110), (12, 84, 70))
"""Colors that an iridescent plume goes through as it turns."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """Light on a picture.

    Attributes:
        direction: toward it, in the camera's axes, of length 1.
        exposure: factor on all colors.
        tint: (3,) factors on red, green and blue.
    """

    direction: tuple[float, float, float]
    exposure: float
    tint: tuple[float, float, float]


def noise(draws: Draws, shape: tuple[int, int], cell: float) -> Array:
    """Return smooth noise of about -1 to 1 whose features are about `cell` samples wide."""
    rows, columns = (max(2, round(side / cell) + 1) for side in shape)
    grid = Image.fromarray((2 * draws.array(rows, columns) - 1).astype(np.float32))
    return np.asarray(grid.resize(shape[::-1], Image.Resampling.BICUBIC))


def regions(buffer: Buffer, anatomy: Anatomy, rough: Array) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return the part (rows, columns) that each sample shows, an index of PARTS or NOWHERE, and where the cheeks are.

    Args:
        buffer: the picture's buffer.
        anatomy: the bird's anatomy.
        rough: noise that makes borders uneven.
    """
    region = np.full(buffer.label.shape, NOWHERE, np.int8)
    cheeks = np.zeros(buffer.label.shape, np.bool_)
    for label, part in WHOLE.items():
        region[buffer.label == label] = INDEX[part]
    trunk = buffer.label == Label.TRUNK
    along, uneven = buffer.along[trunk], rough[trunk]
    steps = np.linspace(0, 1, len(anatomy.dorsal))
    dorsal = [np.interp(along, steps, anatomy.dorsal[:, axis]) for axis in range(3)]
    above = sum(buffer.normal[axis][trunk] * dorsal[axis] for axis in range(3)) > 0.16 + 0.1 * uneven
    place = along + 0.025 * uneven
    upper = np.where(place < 0.66, INDEX["back"], INDEX["nape"])
    lower = np.select([place < 0.45, place < 0.74], [INDEX["belly"], INDEX["breast"]], INDEX["throat"])
    region[trunk] = np.where(above, upper, lower)

    head = buffer.label == Label.HEAD
    normal = buffer.normal[:, head]
    forward, up, right = (sum(axis[i] * normal[i] for i in range(3)) for axis in anatomy.head)
    near = np.stack([a * forward + b * up + c * right for a, b, c in HEAD.values()])
    nearest = (near + 0.04 * rough[head]).argmax(0)
    parts = np.array([INDEX.get(name, NOWHERE) for name in HEAD], np.int8)
    region[head] = parts[nearest]
    cheeks[head] = parts[nearest] == NOWHERE
    return region, cheeks


def paint(
    buffer: Buffer,
    anatomy: Anatomy,
    region: NDArray[np.int8],
    cheeks: NDArray[np.bool_],
    plumage: Mapping[str, Plumage],
    face: str,
    light: Light,
    draws: Draws,
) -> Array:
    """Return the colors (3, rows, columns) of the solids, sRGB of 0 to 255; 0 where there is none."""
    shape = buffer.label.shape
    fine, middle = noise(draws, shape, 3), noise(draws, shape, 9)
    color = np.zeros((3, *shape), np.float32)
    for index, part in enumerate(PARTS):
        group = PART_GROUP[part]
        where = region == index
        if group == face:
            where |= cheeks
        spots = np.flatnonzero(where)
        if len(spots):
            color.reshape(3, -1)[:, spots] = _plumes(plumage[group], buffer, spots, fine, middle, part)
    _eyes(buffer, anatomy, plumage["eye_color"].main, _luminance(plumage[face].main), color)
    _beak(buffer, anatomy, color)
    wood = 0.75 + 0.4 * draws.array(3)
    color[:, buffer.label == Label.PERCH] = (np.array([96, 78, 60]) * wood)[:, None]
    leaves = np.array([[70, 120, 40], [110, 140, 50], [50, 90, 45], [150, 120, 50]])[draws.below(4)]
    color[:, buffer.label == Label.LEAF] = leaves[:, None]
    feathers = 1 + 0.05 * fine + 0.05 * middle
    lines = np.isin(buffer.label, (Label.LEFT_WING, Label.RIGHT_WING, Label.TAIL))
    feathers -= 0.10 * lines * (np.sin(70 * buffer.along + 2 * middle) > 0.55)
    color *= feathers
    return color * _shade(buffer, light)


def _plumes(
    plumage: Plumage, buffer: Buffer, spots: NDArray[np.intp], fine: Array, middle: Array, part: str
) -> NDArray[np.float32]:
    """Return colors (3, S) of the samples of one part."""
    normal = buffer.normal.reshape(3, -1)[:, spots]
    along = buffer.along.ravel()[spots]
    if plumage.main == "iridescent":
        turned = 2.2 * normal[0] + 1.7 * normal[1] + 0.8 * middle.ravel()[spots] + 3 * along
        place = turned % (len(SHEEN) - 1)
        main = np.stack([np.interp(place, range(len(SHEEN)), [shade[i] for shade in SHEEN]) for i in range(3)])
    else:
        main = np.repeat(np.array(RGB[plumage.main], np.float32)[:, None], len(spots), 1)
    if plumage.second:
        marks = _marks(plumage.pattern, part, along, fine.ravel()[spots], middle.ravel()[spots])
        main = np.where(marks, np.array(RGB[plumage.second], np.float32)[:, None], main)
    return main.astype(np.float32)


def _marks(pattern: str, part: str, along: Array, fine: Array, middle: Array) -> NDArray[np.bool_]:
    """Return where the second color is: bands and tips of wings, tail and beak, spots or streaks elsewhere."""
    if "wing" in part:
        return np.abs(along - 0.34) < 0.05 if pattern == "spotted" else (along > 0.62) & (along < 0.86)
    if part == "tail":
        return along > 0.84 if pattern == "spotted" else (along > 0.58) & (along < 0.72)
    if part == "beak":
        return along > 0.7
    return (fine > 0.35) if pattern == "spotted" else (middle > 0.42)


def _eyes(buffer: Buffer, anatomy: Anatomy, iris: str, face: float, color: Array) -> None:
    """Paint iris, pupil, a glint, and a ring about the eye that sets it off."""
    shade = np.array(RGB[iris], np.float32)
    bright = _luminance(iris) > 60
    for label, out in anatomy.eyes.items():
        eye = buffer.label == label
        facing = sum(out[i] * buffer.normal[i][eye] for i in range(3))
        shown = np.repeat(shade[:, None], int(eye.sum()), 1)
        if bright:
            shown[:, facing > 0.985] = 12
        glint = buffer.normal[1][eye] < -0.62
        shown[:, glint & (buffer.normal[0][eye] > 0.0)] = 250
        color[:, eye] = shown
    ring = (buffer.label == Label.LEFT_RING) | (buffer.label == Label.RIGHT_RING)
    color[:, ring] = 40 if bright else 225 if face < 110 else 60
    if bright and face < 70:
        color[:, ring] = 70


def _beak(buffer: Buffer, anatomy: Anatomy, color: Array) -> None:
    """Darken the lower half of the beak, and the line between the halves."""
    beak = buffer.label == Label.BEAK
    up = sum(anatomy.head[1][i] * buffer.normal[i][beak] for i in range(3))
    color[:, beak] *= np.where(np.abs(up + 0.12) < 0.09, 0.62, np.where(up < 0, 0.9, 1.0))


def _shade(buffer: Buffer, light: Light) -> Array:
    """Return the factor (3, rows, columns) of light on each sample, darker toward a solid's rim."""
    facing = sum(light.direction[i] * buffer.normal[i] for i in range(3))
    thick = np.isin(buffer.label, (Label.TRUNK, Label.HEAD, Label.LEFT_WING, Label.RIGHT_WING, Label.TAIL))
    shade = 0.84 + 0.20 * np.maximum(facing, 0) - np.where(thick, 0.18, 0.06) * (1 - buffer.normal[2]) ** 3
    lit: Array = shade * light.exposure * np.array(light.tint, np.float32)[:, None, None]
    return lit


def _luminance(color: str) -> float:
    red, green, blue = RGB[color]
    return 0.3 * red + 0.59 * green + 0.11 * blue
