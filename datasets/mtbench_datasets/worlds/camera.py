"""A pinhole camera: the rays of its pixels, and projections of points.

World axes: z points up. Pixel (x, y) counts to the right and down; the first pixel covers 0 to 1.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

__all__ = ["Pinhole", "Vector", "cross", "dot", "minus", "unit"]

Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Pinhole:
    """A pinhole camera that is not tilted to a side.

    Attributes:
        position: in world coordinates.
        target: the point in the middle of the picture.
        view: tangent of the field of view, whole, across and down: at least so much is seen.
    """

    position: Vector
    target: Vector
    view: tuple[float, float]

    @cached_property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors to the right, up and forward in the picture."""
        forward = unit(minus(self.target, self.position))
        right = unit((forward[1], -forward[0], 0.0))
        up = cross(right, forward)
        return right, up, forward

    def focal(self, size: tuple[int, int]) -> float:
        """Return the focal length in pixels for a picture of (height, width)."""
        (height, width), (across, down) = size, self.view
        return min(width / across, height / down)

    def project(self, point: Vector, size: tuple[int, int]) -> Vector:
        """Return the pixel coordinates (x, y) of a point and its depth along the optical axis."""
        relative = minus(point, self.position)
        x, y, depth = (dot(relative, axis) for axis in self.axes)
        height, width = size
        focal = self.focal(size)
        return (width / 2 + focal * x / depth, height / 2 - focal * y / depth, depth)

    def rays(self, size: tuple[int, int], samples: int) -> Tensor:
        """Return the rays of a picture of (height, width) pixels with samples x samples in each.

        Returns:
            (3, height * samples, width * samples) float32, of length 1 along the optical axis, so that a multiple of
            a ray is a depth.
        """
        height, width = size
        focal = self.focal(size)
        across = ((torch.arange(width * samples) + 0.5) / samples - width / 2) / focal
        down = ((torch.arange(height * samples) + 0.5) / samples - height / 2) / focal
        right, up, forward = (torch.tensor(axis, dtype=torch.float32)[:, None, None] for axis in self.axes)
        return right * across - up * down[:, None] + forward


def minus(a: Vector, b: Vector) -> Vector:
    """Return a - b."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product of a and b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product of a and b."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def unit(a: Vector) -> Vector:
    """Return a vector of length 1 in the direction of a."""
    length = math.sqrt(dot(a, a))
    return (a[0] / length, a[1] / length, a[2] / length)
