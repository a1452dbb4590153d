"""Words of CUB-200-2011: parts, colors and the 312 attributes, in the order of its files; and the colors as drawn."""

__all__ = [
    "ATTRIBUTES",
    "CERTAINTIES",
    "COLORS",
    "CONFUSED",
    "GROUPS",
    "PARTS",
    "PART_GROUP",
    "RGB",
]

PARTS = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing", "nape"),
    *("right eye", "right leg", "right wing", "tail", "throat"),
)
"""Parts 1 to 15 of ``parts/parts.txt``."""

RGB = {
    "blue": (38, 88, 205),
    "brown": (92, 60, 38),
    "iridescent": (30, 150, 150),  # the middle of a range, see `paint`
    "purple": (112, 48, 150),
    "rufous": (160, 64, 30),
    "grey": (128, 130, 134),
    "yellow": (244, 216, 40),
    "olive": (112, 116, 36),
    "green": (44, 150, 56),
    "pink": (240, 140, 178),
    "orange": (252, 140, 14),
    "black": (26, 26, 30),
    "white": (246, 246, 242),
    "red": (212, 20, 38),
    "buff": (228, 192, 126),
}
"""Colors as they are drawn, sRGB of 0 to 255, before light falls on them."""

COLORS = tuple(RGB)
"""Colors in the order of each group's attributes."""

CONFUSED = {
    "blue": "purple",
    "brown": "rufous",
    "iridescent": "green",
    "purple": "blue",
    "rufous": "brown",
    "grey": "black",
    "yellow": "orange",
    "olive": "green",
    "green": "olive",
    "pink": "red",
    "orange": "yellow",
    "black": "grey",
    "white": "buff",
    "red": "orange",
    "buff": "white",
}
"""The color that annotators take each for, where they err."""

CERTAINTIES = {1: "not visible", 2: "guessing", 3: "probably", 4: "definitely"}

_COLORS = " ".join(COLORS)
_PATTERN = "solid spotted striped multi-colored"
_VALUES = {
    "bill_shape": "curved_(up_or_down) dagger hooked needle hooked_seabird spatulate all-purpose cone specialized",
    "wing_color": _COLORS,
    "upperparts_color": _COLORS,
    "underparts_color": _COLORS,
    "breast_pattern": _PATTERN,
    "back_color": _COLORS,
    "tail_shape": "forked_tail rounded_tail notched_tail fan-shaped_tail pointed_tail squared_tail",
    "upper_tail_color": _COLORS,
    "head_pattern": "spotted malar crested masked unique_pattern eyebrow eyering plain eyeline striped capped",
    "breast_color": _COLORS,
    "throat_color": _COLORS,
    "eye_color": _COLORS.replace(" iridescent", ""),
    "bill_length": "about_the_same_as_head longer_than_head shorter_than_head",
    "forehead_color": _COLORS,
    "under_tail_color": _COLORS,
    "nape_color": _COLORS,
    "belly_color": _COLORS,
    "wing_shape": "rounded-wings pointed-wings broad-wings tapered-wings long-wings",
    "size": "large_(16_-_32_in) small_(5_-_9_in) very_large_(32_-_72_in) medium_(9_-_16_in) very_small_(3_-_5_in)",
    "shape": (
        "upright-perching_water-like chicken-like-marsh long-legged-like duck-like owl-like gull-like "
        "hummingbird-like pigeon-like tree-clinging-like hawk-like sandpiper-like upland-ground-like swallow-like "
        "perching-like"
    ),
    "back_pattern": _PATTERN,
    "tail_pattern": _PATTERN,
    "belly_pattern": _PATTERN,
    "primary_color": _COLORS,
    "leg_color": _COLORS,
    "bill_color": _COLORS,
    "crown_color": _COLORS,
    "wing_pattern": _PATTERN,
}
GROUPS = {group: tuple(values.split()) for group, values in _VALUES.items()}
"""Values of each group of attributes, in the order of ``attributes.txt``."""

ATTRIBUTES = tuple(f"has_{group}::{value}" for group, values in GROUPS.items() for value in values)

PART_GROUP = {
    "back": "back_color",
    "beak": "bill_color",
    "belly": "belly_color",
    "breast": "breast_color",
    "crown": "crown_color",
    "forehead": "forehead_color",
    "left eye": "eye_color",
    "left leg": "leg_color",
    "left wing": "wing_color",
    "nape": "nape_color",
    "right eye": "eye_color",
    "right leg": "leg_color",
    "right wing": "wing_color",
    "tail": "upper_tail_color",
    "throat": "throat_color",
}
"""The group of attributes that has the color of each part."""
