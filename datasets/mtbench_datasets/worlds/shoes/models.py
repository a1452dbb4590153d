"""Kinds of shoes: which category, closure, height of heel and wearer go together, and colors and proportions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..draws import Draws
from .mixes import CLOSURES, GENDERS, HEIGHTS, WEIGHTS
from .vocabulary import BRANDS

__all__ = ["Color", "Kind", "Palette", "Shoe", "draw_kind", "draw_shoe"]

Color = tuple[float, float, float]
"""sRGB of 0 to 255."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The part of a shoe's metadata that its folder is named by, and what depends on it first.

    Attributes:
        heel: index of `vocabulary.HEELS`; -1 where the metadata do not say it.
        gender: one of the values, or two with a ';' between them.
    """

    category: str
    subcategory: str
    brand: str
    closure: str
    heel: int
    gender: str


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colors of a shoe."""

    main: Color
    second: Color
    sole: Color
    lining: Color
    lace: Color
    metal: Color


@dataclass(frozen=True, kw_only=True)
class Shoe:
    """A shoe to be drawn.

    Attributes:
        rise: height of the heel relative to the length of the foot.
        plump: factor on heights of the upper; children's shoes have a large one.
        sole: ``flat``, ``block``, ``stiletto``, ``wedge``, ``sport`` or ``lug``.
        toe: a value of ToeStyle, which the metadata may leave out.
        style: a number of 0 to 1 that variants are chosen by.
    """

    kind: Kind
    palette: Palette
    material: str
    toe: str
    insole: str
    rise: float
    platform: float
    plump: float
    sole: str
    style: float


_RISES: Final = (0.015, 0.06, 0.145, 0.24, 0.335, 0.435, 0.53)
"""Heights of heels relative to a foot of ten inches, in the middle of each of `vocabulary.HEELS`."""
_DARK: Final = ((28, 27, 29), (58, 38, 28), (96, 60, 36), (140, 92, 54), (44, 50, 66), (84, 80, 78), (74, 24, 26))
_WOMEN: Final = (
    *((26, 25, 28), (172, 30, 40), (202, 164, 128), (230, 214, 190), (120, 72, 46), (196, 90, 120), (90, 40, 84)),
    *((38, 66, 110), (190, 190, 194), (206, 170, 90), (30, 110, 104), (236, 232, 228)),
)
_BOYS: Final = ((30, 90, 200), (210, 40, 34), (40, 150, 70), (240, 130, 20), (50, 56, 70), (60, 180, 220))
_GIRLS: Final = ((240, 120, 180), (170, 90, 210), (250, 190, 210), (110, 200, 210), (240, 60, 130), (250, 225, 120))
_COLORS: Final[Mapping[str, tuple[Color, ...]]] = {"Men": _DARK, "Women": _WOMEN, "Boys": _BOYS, "Girls": _GIRLS}
_SOFT: Final = ((150, 110, 76), (98, 74, 62), (176, 160, 146), (120, 124, 134), (60, 62, 76), (190, 130, 140))
_SPORT: Final = ((230, 230, 232), (40, 42, 48), (120, 126, 134), (36, 70, 130), (176, 36, 40), (60, 130, 120))
_LEATHER, _CREAM, _WHITE, _BLACK = (170, 120, 74), (236, 226, 206), (244, 244, 242), (30, 30, 32)


def draw_kind(draws: Draws) -> Kind:
    """Return a kind of shoe; heels of two inches and more are women's alone."""
    category, subcategory = draws.choose(WEIGHTS)
    gender = draws.choose(GENDERS[subcategory])
    heels = HEIGHTS[subcategory]
    low = {heel: weight for heel, weight in heels.items() if heel < 3}
    return Kind(
        category=category,
        subcategory=subcategory,
        brand=draws.pick(BRANDS),
        closure=draws.choose(CLOSURES[subcategory]),
        heel=draws.choose(heels if gender == "Women" else low),
        gender=gender,
    )


def draw_shoe(kind: Kind, draws: Draws) -> Shoe:
    """Return a shoe of a kind: its colors, its proportions, and its other metadata."""
    wearer = draws.pick(kind.gender.split(";"))
    child = wearer in ("Boys", "Girls")
    soft, sport = kind.category == "Slippers", kind.subcategory in ("Sneakers and Athletic Shoes", "Athletic")
    height = kind.heel if kind.heel >= 0 else draws.below(2)
    rise = _RISES[height] + draws.uniform(-0.2, 0.2) * (0.03 if height < 2 else 0.09)
    return Shoe(
        kind=kind,
        palette=_palette(kind, wearer, draws),
        material=_material(kind, draws),
        toe=_toe(kind, wearer, draws),
        insole=draws.choose({"": 3, "Padded": 2, "Removable": 1, "Leather": 1}),
        rise=rise,
        platform=draws.uniform(0.0, 0.03) if height < 5 else draws.uniform(0.02, 0.10),
        plump=draws.uniform(1.18, 1.38)
        if child
        else draws.uniform(0.92, 1.04)
        if wearer == "Women"
        else draws.uniform(1.0, 1.12),
        sole="sport" if sport else _sole(kind, height, soft, draws),
        style=draws.uniform(),
    )


def _sole(kind: Kind, height: int, soft: bool, draws: Draws) -> str:
    if height < 2:
        return "lug" if kind.category == "Boots" and draws.chance(0.5) else "soft" if soft else "flat"
    wedge = (
        0.0
        if kind.subcategory == "Oxfords"
        else 0.3
        if kind.category == "Sandals" or "Clogs" in kind.subcategory
        else 0.12
    )
    if draws.chance(wedge):
        return "wedge"
    return "stiletto" if height > 2 and draws.chance(0.6) else "block"


def _palette(kind: Kind, wearer: str, draws: Draws) -> Palette:
    colors = _COLORS[wearer]
    if wearer in ("Men", "Women") and kind.category == "Slippers":
        colors = (*_SOFT, *colors[:3])
    elif wearer in ("Men", "Women") and kind.subcategory in ("Sneakers and Athletic Shoes", "Athletic"):
        colors = (*_SPORT, *colors[-3:])
    main = _varied(draws.pick(colors), draws)
    others = [color for color in colors if sum(abs(a - b) for a, b in zip(color, main, strict=True)) > 90]
    sport = kind.subcategory in ("Sneakers and Athletic Shoes", "Athletic")
    dark = sum(main) < 330
    soles = (_WHITE, _WHITE, _CREAM, _BLACK, (120, 120, 124)) if sport else (_BLACK, (70, 46, 32), _LEATHER, _CREAM)
    return Palette(
        main=main,
        second=_varied(draws.pick(others or colors), draws),
        sole=draws.pick(soles),
        lining=draws.pick((_CREAM, (206, 176, 140), (150, 150, 152))),
        lace=_WHITE if dark or draws.chance(0.4) else _BLACK,
        metal=draws.pick(((226, 226, 230), (222, 186, 96))),
    )


def _varied(color: Color, draws: Draws) -> Color:
    bright = draws.uniform(0.86, 1.14)
    red, green, blue = (min(250.0, max(8.0, value * bright + draws.uniform(-8, 8))) for value in color)
    return red, green, blue


def _material(kind: Kind, draws: Draws) -> str:
    if kind.category == "Slippers":
        return draws.choose({"Suede": 3, "Shearling": 3, "Wool": 3})
    if kind.subcategory in ("Sneakers and Athletic Shoes", "Athletic"):
        return draws.choose({"Mesh": 4, "Canvas": 2, "Leather": 2, "Suede": 1})
    if kind.subcategory in ("Flats", "Heels", "Heel"):
        return draws.choose({"Leather": 4, "Patent": 3, "Suede": 2})
    return draws.choose({"Leather": 6, "Suede": 3, "Patent": 0.6})


def _toe(kind: Kind, wearer: str, draws: Draws) -> str:
    if kind.category == "Sandals":
        return "Open Toe"
    if kind.category == "Slippers" or wearer in ("Boys", "Girls"):
        return "Round Toe"
    if kind.subcategory == "Heels":
        return draws.choose({"Pointed Toe": 4, "Almond": 3, "Round Toe": 2, "Peep Toe": 2})
    if kind.subcategory in ("Oxfords", "Ankle", "Mid-Calf") and wearer == "Men":
        return draws.choose({"Round Toe": 3, "Capped Toe": 3, "Square Toe": 2})
    return draws.choose({"Round Toe": 4, "Almond": 3, "Pointed Toe": 2 if wearer == "Women" else 0, "Square Toe": 1})
