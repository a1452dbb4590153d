"""Several digits in one image: which digits, and where each pixel of the image comes from.

A canvas of zeros takes n tiles of 28 x 28 at fixed places, their elementwise maximum where they overlap, and is
resized to 28 x 28 by taking the nearest pixel (Sener & Koltun 2018). No canvas is ever made: the pixels that remain
are gathered from the tiles. Shapes: N or B composites of n tiles each, M tiles to choose from.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["PARTS", "SIDE", "Layout", "Part", "Recipe", "nearest", "pad", "place"]

SIDE = 28  # of a tile and of a composite, in pixels
CHUNK = 10_000  # composites made at a time, so that the gathered tiles take megabytes and no gigabytes
VALIDATION_DIGITS = 10_000
VALIDATION_SEED = 2  # of the digits that are set aside, as the first of a permutation


def nearest(canvas: int) -> list[int]:
    """Return the row of a canvas that each of the 28 rows of the resized image shows: floor((i + 1/2) canvas / 28)."""
    return [(2 * i + 1) * canvas // (2 * SIDE) for i in range(SIDE)]


def pad(tiles: Tensor) -> Tensor:
    """Return tiles (M, 28, 28) with an empty row and column at the end: (M, 29, 29). A source of 28 is outside."""
    return nn.functional.pad(tiles, (0, 1, 0, 1))


def place(padded: Tensor, chosen: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return each chosen tile alone on its canvas, resized.

    Args:
        padded: the tiles (M, 29, 29), from `pad`.
        chosen: (B,) int64, which tiles.
        rows: (B, 28) or (1, 28) int64, the source of each row, from `Layout.sources`.
        columns: likewise.

    Returns:
        (B, 28, 28), of the tiles' dtype.
    """
    return padded[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The places of tiles on a canvas.

    Attributes:
        places: the (row, column) of each tile's first pixel on the canvas.
        canvas: the side of the canvas in pixels.
    """

    places: tuple[tuple[int, int], ...]
    canvas: int

    def sources(self) -> tuple[Tensor, Tensor]:
        """Return the row, and the column, of a tile that each row and column of a composite shows; 28 if none.

        Returns:
            two tensors (n + 1, 28) int64; the last row is for a tile without a place.
        """
        axes = []
        for axis in (0, 1):
            starts = torch.tensor([*(place[axis] for place in self.places), self.canvas])
            source = torch.tensor(nearest(self.canvas)) - starts[:, None]
            axes.append(source.where((source >= 0) & (source < SIDE), SIDE))
        return axes[0], axes[1]

    def compose(self, tiles: Tensor, members: Tensor) -> Tensor:
        """Return composites (B, 28, 28) of the tiles (M, 28, 28) in `members` (B, n) int64, in order of places."""
        padded, (rows, columns) = pad(tiles), self.sources()
        composites = torch.zeros(len(members), SIDE, SIDE, dtype=tiles.dtype)
        for start in range(0, len(members), CHUNK):
            part = slice(start, start + CHUNK)
            for j in range(len(self.places)):
                placed = place(padded, members[part, j], rows[j : j + 1], columns[j : j + 1])
                composites[part] = torch.maximum(composites[part], placed)
        return composites


class Recipe(Protocol):
    """The digits that composites are made of."""

    @property
    def half(self) -> str:
        """The half of MNIST that they are taken from, ``train`` or ``t10k``."""

    def members(self, total: int, digits: int) -> Tensor:
        """Return (N, n) int64, the `digits` of each composite in the order of tasks, of `total` in the half."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The source of composites.

    Attributes:
        half: the half of MNIST, ``train`` or ``t10k``.
        seed: the seed of the draws of partners.
        held_out: None for all digits of the half, True for the 10,000 that are set aside for validation, False for
            all others. Composites of the two parts have no digit in common.
        last: True if the last 10,000 digits are set aside, False if they are drawn.
    """

    half: str
    seed: int
    held_out: bool | None = None
    last: bool = False

    def base(self, total: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the digits that composites are made of, of `total` in the half, in MNIST's order."""
        if self.held_out is None:
            return np.arange(total)
        if self.last:
            start = total - VALIDATION_DIGITS
            return np.arange(start, total) if self.held_out else np.arange(start)
        shuffled = np.random.Generator(np.random.PCG64(VALIDATION_SEED)).permutation(total)
        return np.sort(shuffled[:VALIDATION_DIGITS] if self.held_out else shuffled[VALIDATION_DIGITS:])

    def members(self, total: int, digits: int) -> Tensor:
        """Return (N, n) int64, the digits of each composite: itself, and the partners in the order of tasks.

        One call draws all partners; it gives what ``integers(0, N)`` gives for each composite and each task in turn.
        """
        base = self.base(total)
        generator = np.random.Generator(np.random.PCG64(self.seed))
        partners = base[generator.integers(0, len(base), size=(len(base), digits - 1))]
        return torch.from_numpy(np.column_stack([base, partners]))


PARTS = {
    "train": Part(half="train", seed=0),
    "test": Part(half="t10k", seed=1),
    "train-without-val": Part(half="train", seed=3, held_out=False),
    "val": Part(half="train", seed=4, held_out=True),
}
