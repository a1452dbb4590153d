"""Annotations as tensors, from which labels and points are made, whatever the options.

Shapes: N images, S species, G = 12 groups of C = 15 colors, P = 15 parts.
"""

import dataclasses
import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from .vocabulary import GROUPS, PARTS, UNKNOWN, Certainty

__all__ = ["TENSORS", "Annotations", "label", "several"]

TENSORS = ("votes", "percentages", "species", "training", "places")
"""The fields of `Annotations` that are tensors."""


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """The annotations of all images, in the order of their numbers.

    Attributes:
        votes: (N, G, C) int8, the certainty of each color that is marked as present; 0 where it is not. 0 too where a
            group has no such color.
        percentages: (S, G, C) float64, percentage of annotators who saw the color in images of the species.
        species: (N,) int64, counted from 0.
        training: (N,) bool, True for images of the training split, False for those of the test split.
        places: (N, P, 2) float32, x to the right and y down of each part in pixels of the image as released; NaN
            where it is not visible.
        names: (N) the images' paths below the folder ``images``.
        remarks: sentences on harmless differences of the files from the expected ones.
    """

    votes: Tensor
    percentages: Tensor
    species: Tensor
    training: Tensor
    places: Tensor
    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.votes)

    def digest(self) -> str:
        """Return the sha256 of everything that labels and points are made from, wherever it was read from."""
        text = hashlib.sha256("\n".join(self.names).encode())
        for name in TENSORS:
            text.update(getattr(self, name).contiguous().numpy().tobytes())
        return text.hexdigest()

    def labels(self, multi: str) -> Tensor:
        """Return the class (N, G) int64 of each part: its color, or `UNKNOWN` where none is marked; see `label`."""
        return label(self.votes, self.percentages[self.species], multi)

    def points(self, frames: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the point (N, G, 2) of each group in pixels of images resized to `size` (height, width).

        For left and right parts it is the point of the left one where that is visible, else of the right one. It is NaN
        where no part of the group is visible.

        Args:
            frames: (N, 2), width and height of the images as released.
        """
        parts = self.scaled(frames, size)
        found = torch.full((len(self), len(GROUPS), 2), torch.nan)
        for index, group in enumerate(GROUPS):
            for name in reversed(group.parts):
                part = parts[:, PARTS.index(name)]
                found[:, index] = part.where(~part.isnan(), found[:, index])
        return found

    def scaled(self, frames: Tensor, size: tuple[int, int]) -> Tensor:
        """Return `places` (N, P, 2) in images resized to `size`: x W / width - 1/2, y H / height - 1/2.

        Files count from the image's edge, `Split.points` from the center of the first pixel; `frames` as in `points`.
        """
        return self.places * torch.tensor(size[::-1]) / frames[:, None] - 0.5

    def rows(self, rows: Tensor) -> "Annotations":
        """Return the annotations of some images, at an index (n,)."""
        kept = {name: getattr(self, name)[rows] for name in TENSORS if name != "percentages"}
        return dataclasses.replace(self, **kept, names=tuple(self.names[row] for row in rows.tolist()))


def several(votes: Tensor) -> Tensor:
    """Return the number (N, G) int64 of colors that count as marked: those beyond `Certainty.NOT_VISIBLE`."""
    return _marked(votes).sum(-1)


def label(votes: Tensor, percentages: Tensor, multi: str) -> Tensor:
    """Return the class (N, G) int64: the color that is marked, or `UNKNOWN` where none is.

    A color counts as marked if it is present with a certainty above `Certainty.NOT_VISIBLE`. The paper does not say
    which color counts if several are marked; `multi` decides:

    - ``certainty``: the color with the highest certainty. Among equal ones the color with the highest percentage in the
      species, and among equal ones of these the color with the lowest number in the files.
    - ``first``: the color with the lowest number in the files.
    - ``unknown``: `UNKNOWN`.

    Args:
        votes: (N, G, C) as in `Annotations`.
        percentages: (N, G, C), those of each image's species.
    """
    marked = _marked(votes)
    best = marked
    if multi == "certainty":
        best = _highest(votes, best)
        best = _highest(percentages, best)
    count = marked.sum(-1)
    unknown = count != 1 if multi == "unknown" else count == 0
    return best.int().argmax(-1).masked_fill(unknown, UNKNOWN)  # argmax is the first of equal ones


def _marked(votes: Tensor) -> Tensor:
    return votes > Certainty.NOT_VISIBLE


def _highest(values: Tensor, among: Tensor) -> Tensor:
    """Return those of `among` (N, G, C) bool that have the highest of its values."""
    kept = values.double().where(among, -torch.inf)
    return among & (kept == kept.amax(-1, keepdim=True))
