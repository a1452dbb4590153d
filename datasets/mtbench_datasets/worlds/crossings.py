"""Rays against the unit sphere, the endless unit cylinder and slabs: the parts that solids are made of.

Points and directions are (3, R) float32, or (3, 1) where all rays share one. Distances are in lengths of a direction.
"""

import math

import torch
from torch import Tensor

__all__ = ["TINY", "cross_round", "cross_slab", "turned"]

TINY = 1e-9


def cross_round(o: Tensor, d: Tensor, axes: int) -> tuple[Tensor, Tensor]:
    """Return the distances (R,) at which rays enter and leave the unit sphere (3 axes) or the endless cylinder (2).

    They are NaN where a ray misses, and comparisons with NaN are false.
    """
    o, d = o[:axes], d[:axes]
    a = (d * d).sum(0).clamp(min=TINY)
    b = (o * d).sum(0)
    root = (b * b - a * ((o * o).sum(0) - 1)).sqrt()
    return (-b - root) / a, (-b + root) / a


def cross_slab(o: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distances at which rays enter and leave -1 to 1 along an axis, or along each of several."""
    inverse = 1 / d.where(d.abs() > TINY, TINY)
    first, second = (-1 - o) * inverse, (1 - o) * inverse
    return torch.minimum(first, second), torch.maximum(first, second)


def turned(vectors: Tensor, degrees: float) -> Tensor:
    """Return vectors (3, R) turned about the vertical axis, from x toward y."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.stack([c * vectors[0] - s * vectors[1], s * vectors[0] + c * vectors[1], vectors[2]])
