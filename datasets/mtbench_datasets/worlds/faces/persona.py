"""Faces as lists of attributes: which of them go together, and how often.

The attributes are those of CelebA. Each is drawn given those before it; `draw_persona` states every probability.
"""

from dataclasses import dataclass

from ..draws import Draws
from .names import NAMES

__all__ = ["Persona", "draw_persona"]

HAIR = ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair")


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Appearance of a face.

    Attributes:
        has: the attributes of CelebA that it has.
        beard: ``none``, ``shadow``, ``full``, ``goatee`` or ``mustache`` (that alone).
        hair: its color: one of black, brown, blond, gray and red.
        long: True if the hair falls on the shoulders.
        fringe: True if a bald head has hair at its sides.
        sunglasses: True if the glasses are dark.
    """

    has: frozenset[str]
    beard: str
    hair: str
    long: bool
    fringe: bool
    sunglasses: bool

    def labels(self) -> list[int]:
        """Return 1 or -1 for each of the 40 attributes, in the order of `NAMES`."""
        return [1 if name in self.has else -1 for name in NAMES]


def draw_persona(draws: Draws) -> Persona:
    """Return a random face.

    A label describes the visible face: under a hat no head counts as bald, behind dark glasses no eyes as narrow.
    """
    has: set[str] = set()

    def add(name: str, probability: float) -> bool:
        if draws.chance(probability):  # always one number, whatever comes of it
            has.add(name)
        return name in has

    male, young = add("Male", 0.5), add("Young", 0.6)
    smiling = add("Smiling", 0.5)
    add("Mouth_Slightly_Open", 0.75 if smiling else 0.22)
    add("High_Cheekbones", 0.72 if smiling else 0.22)
    chubby = add("Chubby", 0.16 if young else 0.36)
    add("Double_Chin", 0.72 if chubby else 0.05)
    add("Oval_Face", 0.08 if chubby else 0.55)
    add("Big_Nose", 0.45 if male else 0.18)
    add("Big_Lips", 0.22 if male else 0.42)
    add("Arched_Eyebrows", 0.15 if male else 0.55)
    add("Bushy_Eyebrows", 0.48 if male else 0.14)
    add("Pale_Skin", 0.12)
    add("Blurry", 0.05)
    made_up = add("Heavy_Makeup", 0.0 if male else 0.5)
    add("Wearing_Lipstick", 0.0 if male else 0.92 if made_up else 0.4)
    add("Rosy_Cheeks", 0.5 if made_up else 0.05)
    hat = add("Wearing_Hat", 0.16)
    glasses = add("Eyeglasses", 0.2 if young else 0.34)
    sunglasses = draws.chance(0.25) and glasses
    add("Bags_Under_Eyes", 0.0 if sunglasses else 0.18 if young else 0.6)
    add("Narrow_Eyes", 0.0 if sunglasses else 0.18)
    bald = add("Bald", 0.0 if hat or not male else 0.12 if young else 0.36)
    receding = add("Receding_Hairline", 0.0 if hat or bald else (0.16 if young else 0.5) if male else 0.06)
    add("Bangs", 0.0 if hat or bald or receding else 0.16 if male else 0.45)
    long = draws.chance(0.1 if male else 0.75) and not bald
    hair = _hair(draws, young)
    fringe = draws.chance(0.5)
    if not bald:
        has |= {f"{hair.capitalize()}_Hair"} & set(HAIR)
    texture = draws.choose({"Straight_Hair": 0.42, "Wavy_Hair": 0.42, "": 0.16})
    if texture and not bald and (long or not hat):
        has.add(texture)
    beard = _beard(draws, male)
    if beard == "shadow":
        has.add("5_o_Clock_Shadow")
    if beard == "goatee":
        has.add("Goatee")
    add("Mustache", {"mustache": 1.0, "full": 0.75, "goatee": 0.55}.get(beard, 0.0))
    add("Sideburns", {"full": 0.8, "goatee": 0.4, "mustache": 0.3, "shadow": 0.2}.get(beard, 0.14 * male))
    if beard not in ("full", "goatee"):
        has.add("No_Beard")
    add("Wearing_Earrings", 0.03 if male else 0.45)
    add("Wearing_Necklace", 0.03 if male else 0.35)
    add("Wearing_Necktie", 0.3 if male else 0.0)
    return Persona(has=frozenset(has), beard=beard, hair=hair, long=long, fringe=fringe and bald, sunglasses=sunglasses)


def _hair(draws: Draws, young: bool) -> str:
    gray = 0.04 if young else 0.45
    shade = draws.choose({"black": 0.32, "brown": 0.36, "blond": 0.24, "red": 0.08})
    return "gray" if draws.chance(gray) else shade


def _beard(draws: Draws, male: bool) -> str:
    style = draws.choose({"none": 0.3, "shadow": 0.18, "full": 0.22, "goatee": 0.16, "mustache": 0.14})
    return style if male else "none"
