"""A world's settings and the files that belong to each of its pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ..crew import Picture
from ..draws import Draws
from ..jpeg import encode, read_facts
from .persona import draw_persona
from .picture import draw_picture
from .tables import TABLES, Entry, tables

__all__ = ["PICTURES", "RECIPE", "FacesRecipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
PICTURES = "img_align_celeba"
"""The folder of the images."""
BYTES = 0.6
"""Approximate size of a picture on a disk of blocks of 4 KiB, in bytes per pixel."""
PARTS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class FacesRecipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        train, val, test: numbers of images, which are numbered in this order.
        seed: the seed of all draws.
        size: (height, width) in pixels.
    """

    train: int
    val: int
    test: int
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

    def pictures(self) -> Iterator[Picture]:
        number = 0
        for part, count in zip(PARTS, (self.train, self.val, self.test), strict=True):
            for _ in range(count):
                number += 1
                yield part, number

    def name(self, picture: Picture) -> str:
        """Return the file name of a picture's image."""
        return f"{picture[1]:06d}.jpg"

    def files(self, picture: Picture) -> tuple[str, ...]:
        return (f"{PICTURES}/{self.name(picture)}",)

    def source(self, picture: Picture) -> str:
        """Return the text that the image of a picture carries."""
        return f"mtbench faces world, recipe {RECIPE}, seed {self.seed}, {picture[0]} {picture[1]}, {self.shape}"

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        return read_facts(folder / file, self.source(picture)) is not None

    def settings(self) -> dict[str, Any]:
        """Return what ``mtbench-world.json`` says of it; size is [width, height]."""
        height, width = self.size
        return {
            "world": "faces",
            "recipe": RECIPE,
            "seed": self.seed,
            "size": [width, height],
            "counts": {"train": self.train, "val": self.val, "test": self.test},
        }

    def make(self, folder: Path, picture: Picture) -> tuple[dict[str, Any], bool]:
        """Write a picture's image if it is not whole, and return its labels and landmarks.

        Raises:
            DataError: the image cannot be written.
        """
        part, number = picture
        persona = draw_persona(Draws(self.seed, "faces", "persona", part, number))
        (file,), source = self.files(picture), self.source(picture)
        facts = read_facts(folder / file, source)
        new = facts is None
        if facts is None:
            drawn = draw_picture(persona, Draws(self.seed, "faces", "picture", part, number), self.size)
            facts = {name: list(place) for name, place in drawn.landmarks.items()}
            write_atomically(folder / file, encode(drawn.pixels, source, facts))
        return {"labels": persona.labels(), "landmarks": facts}, new

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        return tables(
            [
                Entry(name=self.name(picture), part=PARTS.index(picture[0]), **described[picture])
                for picture in self.pictures()
            ]
        )
