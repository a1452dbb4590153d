"""The shape and the colors of a face, drawn once for all that is painted of it."""

from dataclasses import dataclass

import numpy as np

from ..draws import Draws
from .canvas import Array, Color, mirror, smooth
from .persona import Persona

__all__ = ["Build", "build", "mix"]

SKINS = ((236, 196, 168), (226, 180, 148), (212, 162, 126), (190, 138, 102), (158, 108, 78), (122, 82, 60))
PALE = (250, 228, 214)
HAIRS = {
    "black": (34, 28, 28),
    "brown": (98, 62, 38),
    "blond": (224, 188, 112),
    "gray": (172, 172, 174),
    "red": (156, 70, 34),
}
IRISES = ((72, 46, 30), (94, 64, 36), (70, 96, 60), (70, 108, 140), (96, 116, 124))


@dataclass(frozen=True, kw_only=True)
class Build:
    """Shapes, as in `canvas`, and colors of a face.

    Attributes:
        outline: the head's outline (N, 2).
        jaw: half the width of the jaw at the height of the mouth.
        cheek: half the width at the height of the nose.
        chin: height of the chin.
        smile: height of the corners of the mouth above its middle.
        brow: height of the eyebrows.
        opening: half the height of an eye's opening.
        skin, hair, iris: colors.
    """

    outline: Array
    jaw: float
    cheek: float
    chin: float
    smile: float
    brow: float
    opening: float
    skin: Color
    hair: Color
    iris: Color


def build(persona: Persona, draws: Draws) -> Build:
    """Return the shape and the colors of a face."""
    has = persona.has
    male, chubby, oval = "Male" in has, "Chubby" in has, "Oval_Face" in has
    jaw = 1.0 if male else 0.92
    chin, tip, cheek = (1.74, 0.46, 1.06) if male else (1.64, 0.36, 1.03)
    if oval:
        jaw, chin, tip, cheek = jaw - 0.16, chin + 0.12, tip - 0.06, cheek - 0.04
    if chubby:
        jaw, tip, cheek = jaw + 0.2, tip + 0.14, cheek + 0.16
    jaw, chin, cheek = (value * draws.uniform(0.97, 1.03) for value in (jaw, chin, cheek))
    half = [
        (0.0, -1.5),
        (0.5, -1.38),
        (0.86, -1.02),
        (1.03, -0.45),
        (1.05, 0.0),
        (cheek, 0.55),
        (jaw, 1.1),
        (jaw * 0.5 + tip * 0.5, chin * 0.74 + 0.37),
        (tip, chin - 0.07),
        (0.0, chin),
    ]
    skin = np.array(draws.pick(SKINS) if "Pale_Skin" not in has else PALE, float)
    hair = np.array(HAIRS[persona.hair], float) * draws.uniform(0.9, 1.1)
    smiling = "Smiling" in has
    return Build(
        outline=smooth(mirror(half)),
        jaw=jaw,
        cheek=cheek,
        chin=chin,
        smile=draws.uniform(0.15, 0.21) if smiling else draws.uniform(-0.05, 0.015),
        brow=-0.34 + draws.uniform(-0.04, 0.02),
        opening=0.055 if "Narrow_Eyes" in has else draws.uniform(0.105, 0.13) - 0.015 * smiling,
        skin=_color(skin * draws.uniform(0.97, 1.03)),
        hair=_color(hair),
        iris=draws.pick(IRISES),
    )


def mix(color: Color, other: Color, share: float) -> Color:
    """Return a color between two: a fraction of the other one, the rest of the first."""
    return _color(np.array(color) * (1 - share) + np.array(other) * share)


def _color(values: Array) -> Color:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
