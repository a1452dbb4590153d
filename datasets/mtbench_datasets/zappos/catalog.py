"""The pictures of UT-Zappos50K with their labels, and the public triplet lists if they are there.

Shapes: N pictures, T = 4 tasks.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from mtbench.contract import derive

from .vocabulary import TASKS

__all__ = ["PARTS", "Catalog", "classes_of", "far_apart", "part_of"]

PARTS: Final = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All pictures, in the order of image-path.mat.

    Attributes:
        names: (N) paths as image-path.mat has them, which splits and identities go by.
        files: (N) paths of the pictures below the folder of the dataset.
        classes: (N, T) int16, an index into `values`; -1 where nothing is known.
        values: per task the values that occur, sorted.
        lists: public triplets (M, 3) int32 of anchor, near and far picture, by ``{part}-{task}``; empty if there are
            none.
        remarks: sentences on how they were read.
    """

    names: tuple[str, ...]
    files: tuple[str, ...]
    classes: Tensor
    values: tuple[tuple[str, ...], ...]
    lists: Mapping[str, Tensor]
    remarks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def digest(self) -> str:
        """Return a sum of all that triplets depend on."""
        text = "\n".join([*self.names, *map(str, self.values)])
        tensors = [self.classes, *(self.lists[key] for key in sorted(self.lists))]
        content = b"".join(tensor.numpy().tobytes() for tensor in tensors)
        return hashlib.sha256(text.encode() + content).hexdigest()


def classes_of(cells: Sequence[Sequence[str]]) -> tuple[Tensor, tuple[tuple[str, ...], ...]]:
    """Return the classes (N, T) of pictures and the values of each task, as in `Catalog`.

    Args:
        cells: per picture the cell of each task's column; empty texts where nothing is known.
    """
    columns, values = [], []
    for task, attribute in enumerate(TASKS):
        found = [attribute.value(row[task]) for row in cells]
        known = sorted(set(found) - {""})
        index = {value: number for number, value in enumerate(known)} | {"": -1}
        columns.append(torch.tensor([index[value] for value in found], dtype=torch.int16))
        values.append(tuple(known))
    return torch.stack(columns, 1), tuple(values)


def far_apart(task: int, values: Sequence[str]) -> Tensor:
    """Return which values (K, K) bool of a task are far apart."""
    far = TASKS[task].far
    return torch.tensor([[one != other and far(one, other) for other in values] for one in values], dtype=torch.bool)


def part_of(name: str) -> str:
    """Return the part of a generated split that a picture belongs to, which depends only on its path.

    Of ten pictures about seven are to train on, one is to validate on and two are to test on. They are split by image,
    so that one shoe in several colors may be in several parts.
    """
    place = derive(0, "zappos", "split", name) % 10
    return "test" if place < 2 else "val" if place == 2 else "train"
