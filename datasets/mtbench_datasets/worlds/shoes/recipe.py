"""A world's settings and the files that belong to each of its pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ..crew import Picture
from ..draws import Draws
from ..jpeg import encode, read_facts
from .models import Kind, draw_kind, draw_shoe
from .picture import draw_picture
from .tables import TABLES, picture_name, tables

__all__ = ["RECIPE", "ShoesRecipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
BYTES = 0.6
"""Approximate size of a picture on a disk of blocks of 4 KiB, in bytes per pixel."""
PART = "shoes"
FIRST = 7_000_000
"""The number of the first product."""


@dataclass(frozen=True, kw_only=True)
class ShoesRecipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        images: number of pictures.
        seed: the seed of all draws.
        size: (height, width) in pixels.
    """

    images: int
    seed: int
    size: tuple[int, int]

    tables = TABLES

    @property
    def space(self) -> int:
        height, width = self.size
        return round(BYTES * height * width)

    @property
    def shape(self) -> str:
        height, width = self.size
        return f"{width} x {height}"

    @cached_property
    def listed(self) -> Mapping[Picture, tuple[str, Kind]]:
        """The number, ``7000123.45``, and the kind of each picture's shoe, in order."""
        found: dict[Picture, tuple[str, Kind]] = {}
        for index in range(self.images):
            draws = Draws(self.seed, "shoes", "kind", index)
            found[PART, index] = f"{FIRST + index}.{1 + draws.below(9999)}", draw_kind(draws)
        return found

    def pictures(self) -> Iterator[Picture]:
        for index in range(self.images):
            yield PART, index

    def files(self, picture: Picture) -> tuple[str, ...]:
        number, kind = self.listed[picture]
        return (f"ut-zap50k-images/{picture_name(number, (kind.category, kind.subcategory, kind.brand))}",)

    def source(self, picture: Picture) -> str:
        """Return the text that the image of a picture carries."""
        return f"mtbench shoes world, recipe {RECIPE}, seed {self.seed}, {picture[1]}, {self.shape}"

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        return read_facts(folder / file, self.source(picture)) is not None

    def settings(self) -> dict[str, Any]:
        """Return what ``mtbench-world.json`` says of it; size is [width, height]."""
        height, width = self.size
        return {"world": "shoes", "recipe": RECIPE, "seed": self.seed, "size": [width, height], "images": self.images}

    def make(self, folder: Path, picture: Picture) -> tuple[None, bool]:
        """Write a picture's image if it is not whole.

        Raises:
            DataError: the image cannot be written.
        """
        (file,), source = self.files(picture), self.source(picture)
        if read_facts(folder / file, source) is not None:
            return None, False
        _, kind = self.listed[picture]
        shoe = draw_shoe(kind, Draws(self.seed, "shoes", "shoe", picture[1]))
        pixels = draw_picture(shoe, Draws(self.seed, "shoes", "grain", picture[1]), self.size)
        write_atomically(folder / file, encode(pixels, source, {}))
        return None, True

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        pictures = [picture for picture in self.listed if picture in described]
        numbers = [self.listed[picture][0] for picture in pictures]
        shoes = [
            draw_shoe(self.listed[picture][1], Draws(self.seed, "shoes", "shoe", picture[1])) for picture in pictures
        ]
        return tables(numbers, shoes)
