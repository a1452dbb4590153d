"""Kinds of birds: names, proportions, plumage, and the traits that the other attributes name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..draws import Draws
from .vocabulary import GROUPS, PART_GROUP

__all__ = ["FAMILIES", "MOST", "Form", "Plumage", "Species", "draw_plumage", "draw_species"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """Proportions of a bird; lengths in lengths of its trunk.

    Attributes:
        plump: radius of the trunk, relative to a songbird's.
        neck, tail, leg, wing: lengths of neck, tail, tarsus and folded wing.
        head: radius of the head.
        beak: length of the beak in radii of the head; thick: its radius at the base, likewise; hook: how far its tip
            points down, likewise.
        upright: angle of the trunk above the horizontal at rest, in degrees.
        bill, shape, size: values of the attributes ``bill_shape``, ``shape`` and ``size``.
    """

    plump: float = 1.0
    neck: float = 0.14
    tail: float = 0.55
    leg: float = 0.34
    wing: float = 0.95
    head: float = 0.255
    beak: float = 0.9
    thick: float = 0.34
    hook: float = 0.0
    upright: float = 28.0
    bill: str = "all-purpose"
    shape: str = "perching-like"
    size: str = "small_(5_-_9_in)"


FAMILIES: dict[str, Form] = {
    "Finch": Form(beak=0.85, thick=0.5, bill="cone", size="very_small_(3_-_5_in)"),
    "Warbler": Form(plump=0.92, beak=0.95, thick=0.25, bill="needle", size="very_small_(3_-_5_in)", upright=20),
    "Thrush": Form(plump=1.05, leg=0.42, upright=34),
    "Jay": Form(tail=0.75, beak=1.2, thick=0.36, bill="dagger", size="medium_(9_-_16_in)"),
    "Parrot": Form(tail=0.8, head=0.29, beak=0.8, thick=0.62, hook=0.6, bill="hooked", upright=48, leg=0.26),
    "Gull": Form(tail=0.4, wing=1.1, neck=0.2, beak=1.25, thick=0.34, hook=0.25, bill="hooked_seabird",
                 shape="gull-like", size="large_(16_-_32_in)", upright=12),
    "Plover": Form(plump=1.02, tail=0.35, leg=0.6, beak=1.1, thick=0.26, bill="needle", shape="sandpiper-like",
                   upright=12),
    "Heron": Form(plump=0.8, neck=0.55, tail=0.32, leg=0.8, head=0.22, beak=2.1, thick=0.4, bill="dagger",
                  shape="long-legged-like", size="very_large_(32_-_72_in)", upright=32),
    "Dove": Form(plump=1.12, tail=0.6, head=0.22, beak=0.9, thick=0.28, shape="pigeon-like", size="medium_(9_-_16_in)",
                 leg=0.26, upright=22),
    "Toucan": Form(plump=1.0, tail=0.6, head=0.26, beak=2.3, thick=0.58, hook=0.35, bill="curved_(up_or_down)",
                   size="large_(16_-_32_in)", upright=42, leg=0.28),
    "Swallow": Form(plump=0.82, tail=0.85, wing=1.2, leg=0.22, beak=0.6, thick=0.34, bill="cone", shape="swallow-like",
                    upright=36),
    "Duck": Form(plump=1.2, tail=0.3, neck=0.3, leg=0.28, beak=1.3, thick=0.4, bill="spatulate", shape="duck-like",
                 size="large_(16_-_32_in)", upright=8),
}  # fmt: skip
PLACES = (
    "Northern", "Marsh", "Canyon", "River", "Island", "Mountain", "Forest", "Coastal", "Desert", "Prairie", "Meadow",
    "Harbor", "Southern", "Cloud", "Valley", "Hermit", "Lake", "Thicket", "Cliff", "Garden",
)  # fmt: skip
MOST = len(FAMILIES) * len(PLACES)
"""Number of species that there are names for."""

PLUMES: dict[str, float] = {
    "blue": 9, "brown": 9, "iridescent": 6, "purple": 6, "rufous": 7, "grey": 9, "yellow": 8, "olive": 7, "green": 8,
    "pink": 5, "orange": 7, "black": 9, "white": 7, "red": 8, "buff": 7,
}  # fmt: skip
"""Frequency of each color in plumage, in percent."""
LOWER = PLUMES | {"white": 18, "buff": 11, "yellow": 12}
BILLS: dict[str, float] = {
    "black": 26, "grey": 12, "orange": 15, "yellow": 15, "red": 9, "brown": 8, "buff": 5, "white": 4, "pink": 4,
    "blue": 2,
}  # fmt: skip
LEGS: dict[str, float] = {
    "black": 20, "grey": 14, "orange": 14, "pink": 11, "yellow": 12, "red": 9, "brown": 10, "buff": 5, "green": 3,
    "blue": 2,
}  # fmt: skip
EYES: dict[str, float] = {
    "black": 46, "brown": 8, "red": 12, "yellow": 13, "orange": 7, "white": 7, "blue": 4, "green": 3,
}  # fmt: skip
PRIORS = {"bill_color": BILLS, "leg_color": LEGS, "eye_color": EYES, "belly_color": LOWER, "breast_color": LOWER}
"""Frequency of each color in a group of attributes; other groups have those of plumage."""

SECOND = {
    "wing_color": 0.22, "upper_tail_color": 0.22, "breast_color": 0.14, "belly_color": 0.1, "back_color": 0.1,
    "bill_color": 0.12,
}  # fmt: skip
"""Probability that a part has a second color."""
PATTERNS = {
    "wing_color": "wing_pattern",
    "upper_tail_color": "tail_pattern",
    "breast_color": "breast_pattern",
    "belly_color": "belly_pattern",
    "back_color": "back_pattern",
}
DEVIATES = 0.14
"""Probability that a part of one bird has another color than its species."""


@dataclass(frozen=True, kw_only=True)
class Plumage:
    """The colors of a part.

    Attributes:
        main: the color of most of it.
        second: the color of its marks; empty if it has none.
        pattern: pattern of the marks: ``solid``, ``spotted`` or ``striped``.
    """

    main: str
    second: str = ""
    pattern: str = "solid"


@dataclass(frozen=True, kw_only=True)
class Species:
    """A kind of bird.

    Attributes:
        name: the name in ``classes.txt``, with the number in front.
        form: proportions.
        plumage: the colors of each of the 12 groups of attributes that parts have.
        other: the colors of birds of the other sex.
        face: the group whose color the cheeks have.
        traits: the value of each of the groups of attributes that are no colors.
    """

    name: str
    form: Form
    plumage: Mapping[str, Plumage]
    other: Mapping[str, Plumage] = field(repr=False)
    face: str
    traits: Mapping[str, str] = field(repr=False)


def draw_species(seed: int, number: int) -> Species:
    """Return species `number`, counted from 1, of a world. Neither depends on how many species there are."""
    draws = Draws(seed, "species", number)
    families = tuple(FAMILIES)
    family = families[(number - 1) % len(families)]
    place = PLACES[(number - 1 + (number - 1) // len(families)) % len(PLACES)]
    form = FAMILIES[family]
    lengths = ("plump", "neck", "tail", "leg", "wing", "head", "beak", "thick")
    varied = {name: getattr(form, name) * draws.uniform(0.9, 1.12) for name in lengths}
    form = Form(**(vars(form) | varied))
    plumage = _palette(draws)
    traits = {group: draws.pick(values) for group, values in GROUPS.items() if not group.endswith("_color")}
    length = (
        "shorter_than_head" if form.beak < 1 else "longer_than_head" if form.beak > 1.7 else "about_the_same_as_head"
    )
    traits |= {"bill_shape": form.bill, "shape": form.shape, "size": form.size, "bill_length": length}
    traits |= {pattern: plumage[group].pattern for group, pattern in PATTERNS.items()}
    return Species(
        name=f"{number:03d}.{place}_{family}",
        form=form,
        plumage=plumage,
        other=_duller(plumage, draws),
        face=draws.choose({"crown_color": 4, "throat_color": 3, "nape_color": 3}),
        traits=traits,
    )


def draw_plumage(species: Species, draws: Draws) -> dict[str, Plumage]:
    """Return the colors of one bird: those of its species and sex, but that some deviate."""
    base = species.other if draws.chance(0.3) else species.plumage
    found = {}
    for group, own in base.items():
        if draws.chance(DEVIATES):
            own = _plumage(group, draws.choose(PRIORS.get(group, PLUMES)), draws)
        found[group] = own
    return found


def _palette(draws: Draws) -> dict[str, Plumage]:
    """Return colors that go together: few for many parts."""
    upper, lower, accent = draws.choose(PLUMES), draws.choose(LOWER), draws.choose(PLUMES)
    crown = draws.choose({upper: 4, accent: 4, draws.choose(PLUMES): 3})
    throat = draws.choose({lower: 3, accent: 4, crown: 2, draws.choose(PLUMES): 3})
    breast = draws.choose({lower: 5, throat: 2, accent: 3})
    colors = {
        "wing_color": draws.choose({upper: 5, draws.choose(PLUMES): 5}),
        "back_color": upper,
        "upper_tail_color": draws.choose({upper: 5, accent: 3, draws.choose(PLUMES): 3}),
        "breast_color": breast,
        "throat_color": throat,
        "eye_color": draws.choose(EYES),
        "forehead_color": draws.choose({crown: 6, accent: 2, draws.choose(PLUMES): 3}),
        "nape_color": draws.choose({upper: 4, crown: 4, draws.choose(PLUMES): 3}),
        "belly_color": draws.choose({lower: 6, breast: 3, draws.choose(LOWER): 2}),
        "leg_color": draws.choose(LEGS),
        "bill_color": draws.choose(BILLS),
        "crown_color": crown,
    }
    return {group: _plumage(group, color, draws) for group, color in colors.items()}


def _duller(plumage: Mapping[str, Plumage], draws: Draws) -> dict[str, Plumage]:
    """Return colors of the other sex: about a third of the parts differ."""
    dull = draws.choose({"brown": 3, "grey": 3, "olive": 2, "buff": 2})
    changed = dict(plumage)
    for group in sorted(set(PART_GROUP.values()) - {"eye_color", "bill_color", "leg_color"}):
        if draws.chance(0.35):
            changed[group] = _plumage(group, dull, draws)
    return changed


def _plumage(group: str, main: str, draws: Draws) -> Plumage:
    if not draws.chance(SECOND.get(group, 0.0)):
        return Plumage(main=main)
    others = {color: weight for color, weight in PLUMES.items() if color not in (main, "iridescent")}
    second = (
        draws.choose(others | {"white": 20, "black": 20}) if main not in ("white", "black") else draws.choose(others)
    )
    return Plumage(main=main, second=second, pattern=draws.pick(("spotted", "striped")))
