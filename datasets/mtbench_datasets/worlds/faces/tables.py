"""The text files of CelebA, with the facts of a world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .names import NAMES
from .picture import LANDMARKS

__all__ = ["TABLES", "Entry", "tables"]

TABLES = ("list_attr_celeba.txt", "list_eval_partition.txt", "list_landmarks_align_celeba.txt")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A picture as the text files list it.

    Attributes:
        name: the image's file name.
        part: 0 to train on, 1 to validate on, 2 to test on.
        labels: 1 or -1 for each attribute.
        landmarks: x and y of each of `LANDMARKS`.
    """

    name: str
    part: int
    labels: Sequence[int]
    landmarks: Mapping[str, Sequence[int]]


def tables(entries: Sequence[Entry]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each text file, in the order of TABLES, with the spaces of the released ones."""
    rows = "".join(f"{each.name} {' '.join(f'{label:2d}' for label in each.labels)}\n" for each in entries)
    yield TABLES[0], f"{len(entries)}\n{' '.join(NAMES)} \n{rows}".encode()
    yield TABLES[1], "".join(f"{each.name} {each.part}\n" for each in entries).encode()
    heads = " ".join(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")
    rows = "".join(
        f"{each.name} {' '.join(f'{value:4d}' for name in LANDMARKS for value in each.landmarks[name])}\n"
        for each in entries
    )
    yield TABLES[2], f"{len(entries)}\n{heads}\n{rows}".encode()
