"""A world's settings and the files that belong to each of its pictures."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...files import write_atomically
from ..crew import Picture
from ..draws import Draws
from .images import SAMPLES, Maps, draw_image, draw_maps
from .layout import draw_scene
from .notes import digest, encode_array, encode_note, read_note
from .surface import see
from .vocabulary import CLASSES

__all__ = ["ARRAYS", "NOTES", "RECIPE", "TABLE", "RoomsRecipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
ARRAYS = ("image", "label", "depth", "normal")
"""The folders of arrays in those of the splits, as in NYUv2's preprocessed format."""
NOTES = "notes"
"""The folder of notes about the arrays, see `notes`."""
TABLE = "classes.json"
BYTES, HEADERS = 32, 5 * 4096
"""Approximate size of a picture on a disk of blocks of 4 KiB: bytes per pixel, and bytes beyond."""


@dataclass(frozen=True, kw_only=True)
class RoomsRecipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        train, val: numbers of images.
        seed: the seed of all draws.
        size: (height, width) in pixels.
    """

    train: int
    val: int
    seed: int
    size: tuple[int, int]

    tables = (TABLE,)

    @property
    def counts(self) -> dict[str, int]:
        """Number of images of each split."""
        return {"train": self.train, "val": self.val}

    @property
    def space(self) -> int:
        height, width = self.size
        return BYTES * height * width + HEADERS

    @property
    def shape(self) -> str:
        height, width = self.size
        return f"{width} x {height}"

    def pictures(self) -> Iterator[Picture]:
        for split, count in self.counts.items():
            for index in range(count):
                yield split, index

    def files(self, picture: Picture) -> tuple[str, ...]:
        split, index = picture
        return (*(f"{split}/{room}/{index}.npy" for room in ARRAYS), f"{split}/{NOTES}/{index}.json")

    def source(self, picture: Picture) -> str:
        """Return the text that the note of a picture carries."""
        return f"mtbench rooms world, recipe {RECIPE}, seed {self.seed}, {picture[0]} {picture[1]}, {self.shape}"

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        facts = self.note(folder, picture)
        return facts is not None and (file == self.files(picture)[-1] or _is_as_noted(folder / file, facts))

    def note(self, folder: Path, picture: Picture) -> dict[str, Any] | None:
        """Return the facts about a picture, or None if its note is missing or not whole."""
        return read_note(folder / self.files(picture)[-1], self.source(picture))

    def settings(self) -> dict[str, Any]:
        """Return what ``mtbench-world.json`` says of it; size is [width, height]."""
        height, width = self.size
        return {
            "world": "rooms",
            "recipe": RECIPE,
            "seed": self.seed,
            "size": [width, height],
            "counts": self.counts,
        }

    def make(self, folder: Path, picture: Picture) -> tuple[dict[str, Any], bool]:
        """Write a picture's files if one of them is not whole, and return the facts about it.

        Raises:
            DataError: a file cannot be written.
        """
        *arrays, note = self.files(picture)
        facts = self.note(folder, picture)
        if facts is not None and all(_is_as_noted(folder / file, facts) for file in arrays):
            return facts, False
        scene = draw_scene(Draws(self.seed, "rooms", "scene", *picture))
        surface = see(scene, self.size, SAMPLES)
        image = draw_image(scene, surface, Draws(self.seed, "rooms", "noise", *picture), self.size)
        maps = draw_maps(scene, surface, self.size)
        contents = [encode_array(array) for array in (image, maps.label, maps.depth, maps.normal)]
        for file, content in zip(arrays, contents, strict=True):
            write_atomically(folder / file, content)
        facts = {"sha256": dict(zip(ARRAYS, map(digest, contents), strict=True)), **_counts(maps)}
        write_atomically(folder / note, encode_note(self.source(picture), facts))
        return facts, True

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        """Yield the table of classes: names, and defined and undefined pixels of each split."""
        table: dict[str, Any] = {"classes": CLASSES}
        for split, count in self.counts.items():
            all_facts = [described[split, index] for index in range(count)]
            table[split] = {
                "pixels": [sum(facts["pixels"][label] for facts in all_facts) for label in range(len(CLASSES))],
                "without label": sum(facts["without label"] for facts in all_facts),
                "without depth and normal": sum(facts["without depth"] for facts in all_facts),
            }
        yield TABLE, (json.dumps(table, indent=2) + "\n").encode()


def _is_as_noted(path: Path, facts: Mapping[str, Any]) -> bool:
    try:
        return bool(digest(path.read_bytes()) == facts["sha256"][path.parent.name])
    except OSError:
        return False


def _counts(maps: Maps) -> dict[str, Any]:
    """Return how many pixels of a picture have each class, how many have none, and how many have no depth."""
    counts = np.bincount(maps.label.astype(np.int64).ravel() + 1, minlength=len(CLASSES) + 1).tolist()
    return {"pixels": counts[1:], "without label": counts[0], "without depth": int((maps.depth == 0).sum())}
