"""Scenes as tensors: the objects of every picture, small enough that all of CLEVR's 85,000 take 20 MB.

Shapes: N scenes, K = 10 places for objects, of which the first so many are taken.
"""

import dataclasses
import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PLACES", "SPACING", "TENSORS", "Scenes", "leftmost", "right_by_pixels", "right_in_space"]

PLACES = 10  # CLEVR has 3 to 10 objects in a scene
SPACING = 0.2  # the generator's, in units of its ground plane: so far apart that one is beside the other
TENSORS = ("attributes", "pixels", "lefts", "right")
"""The fields of `Scenes` that are tensors, each with a row for every scene."""


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """The labels of one part of CLEVR.

    Attributes:
        attributes: (N, K, 4) int8, the class of each object's color, material, shape and size in `vocabulary.WORDS`;
            -1 in empty places.
        pixels: (N, K, 2) float32, x to the right and y down of each object's center in the picture; NaN in empty
            places.
        lefts: (N, K) float64, the projection of each object's place in space on the direction to the left, larger
            further left; 0 in scenes without coordinates or directions, NaN in empty places.
        right: (N, K, K) bool, True at [i, j] if object j is right of object i.
        frame: (height, width) of the pictures that `pixels` counts in.
        recomputed: number of scenes whose relations were missing or did not fit the objects.
    """

    attributes: Tensor
    pixels: Tensor
    lefts: Tensor
    right: Tensor
    frame: tuple[int, int]
    recomputed: int

    def __len__(self) -> int:
        return len(self.attributes)

    def __getitem__(self, rows: Tensor | slice) -> "Scenes":
        """Return the scenes of some rows, an index (n,) or a slice."""
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in TENSORS})

    @property
    def present(self) -> Tensor:
        """(N, K) bool, which places hold an object."""
        return self.attributes[..., 0] >= 0

    def points(self, size: tuple[int, int]) -> Tensor:
        """Return `pixels` (N, K, 2) in an image of `size` (height, width): x W / frame width - 1/2, and the same for y.

        Files count from the image's edge, `Split.points` from the center of the first pixel. The released code of Levi
        & Ullman (2021) truncates to whole pixels instead, which is the same on average.
        """
        (height, width), (rows, columns) = self.frame, size
        return self.pixels * torch.tensor([columns, rows]) / torch.tensor([width, height]) - 0.5

    def digest(self) -> str:
        """Return the sha256 of all that questions are answered from, wherever it was read from."""
        text = hashlib.sha256(repr(self.frame).encode())
        for name in TENSORS:
            text.update(getattr(self, name).contiguous().numpy().tobytes())
        return text.hexdigest()


def leftmost(scenes: Scenes, among: Tensor) -> Tensor:
    """Return the place (N,) int64 of the leftmost object in each scene by the pixel x; -1 where there is none.

    Of objects at the same pixel x the one further left in space is taken, and of those the first.

    Args:
        among: (N, K) bool, the objects that come into question.
    """
    x = scenes.pixels[..., 0].where(among, torch.inf)
    tied = among & (x == x.min(1, keepdim=True).values)
    further = scenes.lefts.where(tied, -torch.inf)
    first = (tied & (further == further.max(1, keepdim=True).values)).int().argmax(1)
    return first.where(among.any(1), -1)


def right_in_space(places: Tensor, direction: Tensor) -> Tensor:
    """Return (N, K, K) bool, True at [i, j] if object j is right of object i by more than `SPACING` on the ground.

    Args:
        places: (N, K, 3), the objects' places in space, NaN in empty places.
        direction: (N, 3), the direction to the right.
    """
    along = (places * direction[:, None]).sum(2)
    return along[:, None, :] - along[:, :, None] > SPACING


def right_by_pixels(x: Tensor) -> Tensor:
    """Return (N, K, K) bool, True at [i, j] if object j is right of object i, by their pixels x (N, K) alone."""
    return x[:, None, :] > x[:, :, None]
