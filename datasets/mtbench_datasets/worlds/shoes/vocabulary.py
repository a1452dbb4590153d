"""Words of UT-Zappos50K's metadata, as far as drawn shoes have them, and how its binary table spells them."""

import re
from typing import Final

__all__ = ["BRANDS", "COLUMNS", "HEELS", "VALUES", "binary_name", "folder_name"]

COLUMNS: Final = ("Category", "SubCategory", "HeelHeight", "Insole", "Closure", "Gender", "Material", "ToeStyle")
"""Columns of meta-data.csv after the first one, CID."""
HEELS: Final = (
    "Flat",
    "Under 1in",
    "1in - 1 3/4in",
    "2in - 2 3/4in",
    "3in - 3 3/4in",
    "4in - 4 3/4in",
    "5in & over",
)
"""Heights of heels, in their order."""
VALUES: Final = {
    "Category": ("Shoes", "Sandals", "Slippers", "Boots"),
    "SubCategory": (
        *("Oxfords", "Sneakers and Athletic Shoes", "Loafers", "Flats", "Heels", "Clogs and Mules", "Boat Shoes"),
        *("Ankle", "Mid-Calf", "Knee High", "Over the Knee", "Flat", "Heel", "Athletic", "Slipper Flats"),
        *("Slipper Heels", "Boot"),
    ),
    "HeelHeight": HEELS,
    "Insole": ("Padded", "Removable", "Leather"),
    "Closure": (
        *("Lace up", "Slip-On", "Pull-on", "Zipper", "Buckle", "Hook and Loop", "Ankle Strap", "Sling Back"),
        "Elastic Gore",
    ),
    "Gender": ("Men", "Women", "Boys", "Girls"),
    "Material": ("Leather", "Suede", "Canvas", "Mesh", "Patent", "Rubber", "Shearling", "Wool"),
    "ToeStyle": ("Round Toe", "Pointed Toe", "Almond", "Square Toe", "Open Toe", "Peep Toe", "Capped Toe"),
}
"""The values of each column, in the order of the columns of meta-data-bin.csv."""
BRANDS: Final = (
    *(
        "Alder & Finch",
        "Bramble",
        "Corriedale",
        "Dune Walk",
        "Eastfold",
        "Fenwick",
        "Gannet Co.",
        "Halden",
        "Isla Moss",
    ),
    *("Juniper Lane", "Kestrel", "Larkspur", "Morrow", "Northway", "Osier", "Pike & Sons", "Quillon", "Rowan Mills"),
    *("Sorrel", "Tern"),
)
"""Invented makers; one has a dot at its end, which folders on disk lose, as they do in the released archives."""


def binary_name(column: str, value: str) -> str:
    """Return the name of a column of meta-data-bin.csv: dots for signs, ``HeelHeight.5in...over``."""
    return f"{column}.{re.sub('[^A-Za-z0-9]', '.', value)}"


def folder_name(text: str) -> str:
    """Return the name of a folder in the archive of pictures, which has no dot at its end."""
    return text.rstrip(".")
