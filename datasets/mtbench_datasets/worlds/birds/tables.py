"""The text files of CUB-200-2011, with the facts of a world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .vocabulary import ATTRIBUTES, CERTAINTIES, PARTS

__all__ = ["TABLES", "Entry", "attribute_lines", "tables"]

TABLES = (
    "images.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
    "classes.txt",
    "bounding_boxes.txt",
    "parts/parts.txt",
    "parts/part_locs.txt",
    "attributes/attributes.txt",
    "attributes/certainties.txt",
    "attributes/image_attribute_labels.txt",
    "attributes/class_attribute_labels_continuous.txt",
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A picture as the text files list it.

    Attributes:
        path: below ``images/``.
        species: its number, from 1.
        train: True if it is to train on.
        description: ``box``, ``parts``, ``lines`` and ``present``, as the recipe makes them.
    """

    path: str
    species: int
    train: bool
    description: Mapping[str, Any]


def attribute_lines(number: int, present: Sequence[int], certainty: Sequence[int], seconds: Sequence[float]) -> bytes:
    """Return the 312 lines of an image in ``image_attribute_labels.txt``."""
    rows = zip(range(1, len(ATTRIBUTES) + 1), present, certainty, seconds, strict=True)
    return "".join(f"{number} {a} {p} {c} {s:.3f}\n" for a, p, c, s in rows).encode()


def tables(entries: Sequence[Entry], species: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each text file, in the order of TABLES.

    Args:
        entries: all pictures; their ids are 1, 2 and so on.
        species: names, in the order of their numbers.
    """
    pictures = list(enumerate(entries, 1))
    yield TABLES[0], _lines((i, each.path) for i, each in pictures)
    yield TABLES[1], _lines((i, each.species) for i, each in pictures)
    yield TABLES[2], _lines((i, int(each.train)) for i, each in pictures)
    yield TABLES[3], _lines(enumerate(species, 1))
    yield TABLES[4], _lines((i, *each.description["box"]) for i, each in pictures)
    yield TABLES[5], _lines(enumerate(PARTS, 1))
    yield (
        TABLES[6],
        _lines((i, part, *place) for i, each in pictures for part, place in enumerate(each.description["parts"], 1)),
    )
    yield TABLES[7], _lines(enumerate(ATTRIBUTES, 1))
    yield TABLES[8], _lines(CERTAINTIES.items())
    yield TABLES[9], b"".join(each.description["lines"] for each in entries)
    yield TABLES[10], _percentages(entries, len(species))


def _percentages(entries: Sequence[Entry], species: int) -> bytes:
    """Return, for each species, the percentage of its training images that each attribute is said to be present in."""
    sums, counts = np.zeros((species, len(ATTRIBUTES))), np.zeros(species)
    for entry in entries:
        if entry.train:
            sums[entry.species - 1] += entry.description["present"]
            counts[entry.species - 1] += 1
    percent = 100 * sums / np.maximum(counts, 1)[:, None]
    return "".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in percent.tolist()).encode()


def _lines(rows: Any) -> bytes:
    return "".join(" ".join(str(value) for value in row) + "\n" for row in rows).encode()
