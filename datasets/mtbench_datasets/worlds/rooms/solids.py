"""Upright boxes, cylinders and ellipsoids of any proportions, and pieces that are made of them.

Points and directions are (3, R) float32 in meters, or (3, 1) where all rays share one. Inside, the frame of a solid is
moved to its center, turned with it and scaled so that it is the cube, the cylinder or the sphere of half size 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from ..camera import Vector
from ..crossings import TINY, cross_round, cross_slab, turned
from .paint import Paint

__all__ = ["Piece", "Solid", "blocked"]


@dataclass(frozen=True, kw_only=True)
class Solid:
    """A convex body.

    Attributes:
        center: in the axes of its piece, or of the room once that is placed.
        half: half its sizes along its own axes, before it is turned.
        turn: degrees about the vertical axis, from x toward y.
        label: its class, or -1.
        glass: True if a depth sensor does not see it.
        casts: True if it casts shadows.
    """

    shape: Literal["box", "cylinder", "ellipsoid"]
    center: Vector
    half: Vector
    paint: Paint
    label: int
    turn: float = 0.0
    glass: bool = False
    casts: bool = True

    def entry(self, origin: Tensor, direction: Tensor) -> Tensor:
        """Return how far along each ray it enters, in lengths of its direction: (R,), infinite where it misses.

        A ray that starts inside the solid or after it misses it.
        """
        half = torch.tensor(self.half)[:, None]
        o, d = self.local(origin) / half, turned(direction, -self.turn) / half
        if self.shape == "ellipsoid":
            near, far = cross_round(o, d, 3)
        elif self.shape == "cylinder":
            near, far = cross_round(o, d, 2)
            low, high = cross_slab(o[2], d[2])
            near, far = torch.maximum(near, low), torch.minimum(far, high)
        else:
            low, high = cross_slab(o, d)
            near, far = low.amax(0), high.amin(0)
        return near.where((near < far) & (near > 0), math.inf)

    def normals(self, points: Tensor) -> Tensor:
        """Return unit normals (3, R), outwards, at points of its surface."""
        half = torch.tensor(self.half)[:, None]
        q = self.local(points) / half
        if self.shape == "ellipsoid":
            outward = q / half
        elif self.shape == "cylinder":
            lid = q[2].abs() > q[:2].square().sum(0).sqrt()
            side = torch.cat([q[:2] / half[:2], torch.zeros_like(q[2:])])
            outward = torch.stack([torch.zeros_like(q[2]), torch.zeros_like(q[2]), q[2].sign()]).where(lid, side)
        else:
            face = q.abs().argmax(0)
            outward = torch.zeros_like(q).scatter(0, face[None], q.gather(0, face[None]).sign())
        return turned(outward / outward.square().sum(0).sqrt().clamp(min=TINY), self.turn)

    def local(self, points: Tensor) -> Tensor:
        """Return points in its own axes, in meters from its center."""
        return turned(points - torch.tensor(self.center)[:, None], -self.turn)

    def corners(self) -> Tensor:
        """Return the corners (3, 8) of the box that it fills."""
        signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).T
        return turned(signs * torch.tensor(self.half)[:, None], self.turn) + torch.tensor(self.center)[:, None]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of furniture, or a thing that hangs on a wall: solids that are placed together.

    Before it is placed its middle is x = y = 0, it stands on z = 0, and faces -y.
    """

    solids: tuple[Solid, ...]

    def placed(self, x: float, y: float, z: float = 0.0, turn: float = 0.0) -> "Piece":
        """Return the piece, turned about its middle by degrees from x toward y, then moved."""
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        moved = []
        for solid in self.solids:
            a, b, c = solid.center
            center = (x + cos * a - sin * b, y + sin * a + cos * b, z + c)
            moved.append(replace(solid, center=center, turn=solid.turn + turn))
        return Piece(solids=tuple(moved))

    def labeled(self, label: int) -> "Piece":
        """Return the piece with another class."""
        return Piece(solids=tuple(replace(solid, label=label) for solid in self.solids))

    @cached_property
    def bounds(self) -> tuple[Vector, Vector]:
        """The least and the greatest x, y and z."""
        corners = torch.cat([solid.corners() for solid in self.solids], 1)
        low, high = corners.amin(1).tolist(), corners.amax(1).tolist()
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def blocked(pieces: Sequence[Piece], origin: Tensor, direction: Tensor) -> Tensor:
    """Return True (R,) for each ray (3, R) that meets a solid with shadows between origin and origin + direction."""
    result = torch.zeros(direction.shape[1], dtype=torch.bool)
    square = direction.square().sum(0)
    for piece in pieces:
        casting = [solid for solid in piece.solids if solid.casts]
        if not casting:
            continue
        low, high = (torch.tensor(bound)[:, None] for bound in piece.bounds)
        middle, reach = (low + high) / 2, float((high - low).square().sum()) / 4
        # The nearest point of each ray to the middle of the piece selects the few rays that need exact intersections.
        away = middle - origin
        along = ((away * direction).sum(0) / square).clamp(0, 1)
        near = ((away - along * direction).square().sum(0) < 1.02 * reach) & ~result
        rays = near.nonzero()[:, 0]
        if not len(rays):
            continue
        start = origin[:, rays] if origin.shape[1] > 1 else origin
        path = direction[:, rays]
        met = torch.zeros(len(rays), dtype=torch.bool)
        for solid in casting:
            met |= solid.entry(start, path) < 1
        result[rays] = met
    return result
