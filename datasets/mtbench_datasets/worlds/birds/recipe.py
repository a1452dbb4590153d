"""A world's settings and the files that belong to each of its pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ..crew import Picture
from ..draws import Draws
from ..jpeg import encode, read_facts
from .annotate import annotate, locate
from .picture import draw_picture
from .species import Species, draw_plumage, draw_species
from .tables import TABLES, Entry, attribute_lines, tables

__all__ = ["RECIPE", "BirdsRecipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
BYTES = 1.0
"""Approximate size of a picture on a disk of blocks of 4 KiB, in bytes per pixel, including its lines in text files."""


@dataclass(frozen=True, kw_only=True)
class BirdsRecipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        train, test: numbers of images.
        species: number of kinds of birds, at most `MOST`.
        seed: the seed of all draws.
        size: (height, width) in pixels, about which the images vary.
    """

    train: int
    test: int
    species: int
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
        return f"about {width} x {height}"

    @cached_property
    def kinds(self) -> tuple[Species, ...]:
        """All species."""
        return tuple(_species(self.seed, number) for number in range(1, self.species + 1))

    @cached_property
    def listed(self) -> Mapping[Picture, tuple[int, int, bool]]:
        """Image id, number of the species, and True if it is to train on, of each picture, in the order of ids."""
        found: dict[Picture, tuple[int, int, bool]] = {}
        for number, kind in enumerate(self.kinds, 1):
            train, test = (_part(total, number, self.species) for total in (self.train, self.test))
            order = Draws(self.seed, "split", kind.name).order(train + test)
            training = set(order[:train])
            for index in range(train + test):
                found[kind.name, index + 1] = (len(found) + 1, number, index in training)
        return found

    def pictures(self) -> Iterator[Picture]:
        yield from self.listed

    def path(self, picture: Picture) -> str:
        """Return the path of a picture's image below ``images/``, as CUB names its files."""
        folder, index = picture
        return f"{folder}/{folder.partition('.')[2]}_{index:04d}_{self.listed[picture][0]}.jpg"

    def files(self, picture: Picture) -> tuple[str, ...]:
        return (f"images/{self.path(picture)}",)

    def source(self, picture: Picture) -> str:
        """Return the text that the image of a picture carries."""
        (height, width), (name, index) = self.size, picture
        return f"mtbench birds world, recipe {RECIPE}, seed {self.seed}, {name} {index}, about {width} x {height}"

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        return read_facts(folder / file, self.source(picture)) is not None

    def settings(self) -> dict[str, Any]:
        """Return what ``mtbench-world.json`` says of it; size is [width, height]."""
        height, width = self.size
        return {
            "world": "birds",
            "recipe": RECIPE,
            "seed": self.seed,
            "size": [width, height],
            "counts": {"train": self.train, "test": self.test},
            "species": self.species,
        }

    def make(self, folder: Path, picture: Picture) -> tuple[dict[str, Any], bool]:
        """Write a picture's image if it is not whole, and return its annotations.

        Raises:
            DataError: the image cannot be written.
        """
        (name, index), (number, kind, _) = picture, self.listed[picture]
        species = _species(self.seed, kind)
        plumage = draw_plumage(species, Draws(self.seed, "plumage", name, index))
        (file,), source = self.files(picture), self.source(picture)
        facts = read_facts(folder / file, source)
        new = facts is None
        if facts is None:
            drawn = draw_picture(species, plumage, Draws(self.seed, "picture", name, index), self.size)
            facts = drawn.facts
            write_atomically(folder / file, encode(drawn.pixels, source, facts))
        draws = Draws(self.seed, "annotation", name, index)
        answers = annotate(species, plumage, facts["areas"], set(facts["points"]), draws)
        columns = (answers.present.tolist(), answers.certainty.tolist(), answers.seconds.tolist())
        description = {
            "box": facts["box"],
            "parts": locate(facts["points"], tuple(facts["size"]), draws),
            "lines": attribute_lines(number, *columns),
            "present": answers.present,
        }
        return description, new

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        entries = [
            Entry(path=self.path(picture), species=kind, train=train, description=described[picture])
            for picture, (_, kind, train) in self.listed.items()
        ]
        return tables(entries, [kind.name for kind in self.kinds])


@lru_cache(maxsize=512)
def _species(seed: int, number: int) -> Species:
    return draw_species(seed, number)


def _part(total: int, number: int, species: int) -> int:
    """Return how many of `total` pictures species `number` has: as many as every other, or one more."""
    return total // species + (number <= total % species)
