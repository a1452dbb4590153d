"""Rays against spheres, upright cubes and upright cylinders, many rays at a time.

Points and directions are (3, R) float32, or (3, 1) where all rays share one. Inside, an object's frame is moved to its
center, turned with it and scaled so that it is the unit sphere, the cube or the cylinder of half height and radius 1.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..crossings import TINY, cross_round, cross_slab, turned
from .objects import Item

__all__ = ["blocked", "entry", "normals"]

ROUNDING = 10
"""Power of the superquadric that normals of cubes and cylinders are taken of. Edges and rims catch the light as if they
were rounded; the outline stays sharp."""
EXACT = 400


def entry(item: Item, origin: Tensor, direction: Tensor) -> Tensor:
    """Return how far along each ray it enters the object, in lengths of its direction: (R,), infinite where it misses.

    A ray that starts inside the object or after it misses it.
    """
    o, d = _local(item, origin), _local_direction(item, direction)
    if item.shape == "sphere":
        near, far = cross_round(o, d, 3)
    elif item.shape == "cylinder":
        near, far = cross_round(o, d, 2)
        low, high = cross_slab(o[2], d[2])
        near, far = torch.maximum(near, low), torch.minimum(far, high)
    else:
        low, high = cross_slab(o, d)
        near, far = low.amax(0), high.amin(0)
    return near.where((near < far) & (near > 0), math.inf)


def blocked(items: Sequence[Item], origin: Tensor, direction: Tensor) -> Tensor:
    """Return True (R,) for each ray (3, R) that meets an object between origin and origin + direction."""
    unit = direction / direction.square().sum(0).sqrt()
    centers = torch.tensor([item.center for item in items])  # (N, 3)
    # Each ray's distance from each object's center, by Pythagoras, selects the few rays that need exact intersections.
    along = centers @ unit - (origin * unit).sum(0)  # (N, R)
    square = centers.square().sum(1)[:, None] - 2 * centers @ origin + origin.square().sum(0)
    reach = torch.tensor([1.02 * item.reach**2 for item in items])[:, None]
    near = (square - along * along < reach) & (along > 0)
    result = torch.zeros(origin.shape[1], dtype=torch.bool)
    for item, mask in zip(items, near, strict=True):
        rays = mask.nonzero()[:, 0]
        result[rays] |= entry(item, origin[:, rays], direction[:, rays]) < 1
    return result


def normals(item: Item, points: Tensor, *, rounded: bool) -> Tensor:
    """Return unit normals (3, R) at points (3, R) of the object's surface, bent near edges and rims if rounded."""
    q = _local(item, points)
    power = ROUNDING if rounded else EXACT
    if item.shape == "sphere":
        bent = q
    elif item.shape == "cylinder":
        radius = q[:2].square().sum(0).sqrt().clamp(TINY, 1)
        bent = torch.stack([*(q[:2] / radius * radius**power), q[2].sign() * q[2].abs().clamp(max=1) ** power])
    else:
        bent = q.sign() * (q.abs() / q.abs().amax(0)) ** power
    bent = bent / bent.square().sum(0).sqrt().clamp(min=TINY)
    return turned(bent, item.rotation) if item.shape == "cube" else bent


def _local(item: Item, points: Tensor) -> Tensor:
    return _local_direction(item, points - torch.tensor(item.center)[:, None])


def _local_direction(item: Item, directions: Tensor) -> Tensor:
    scaled = directions / item.half
    return turned(scaled, -item.rotation) if item.shape == "cube" else scaled
