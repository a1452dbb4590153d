"""The camera of a scene: rays of its pixels, projection of points, and the directions of the generator.

World axes: the ground is z = 0, z points up. Pixel (x, y) counts to the right and down; the first pixel covers 0 to 1.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

__all__ = ["BEHIND", "DIRECTIONS", "RIGHT", "Camera", "Vector"]

Vector = tuple[float, float, float]

RIGHT: Vector = (0.688, 0.726, 0.0)
"""Right, on the ground, of a camera that is not jittered: CLEVR looks at the scene along a diagonal."""
BEHIND: Vector = (-0.726, 0.688, 0.0)
DIRECTIONS = ("left", "right", "front", "behind", "above", "below")
WIDTH, HEIGHT = 0.316, 0.237
"""Tangent of the field of view, whole, in either direction: at least so much is seen of the scene."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole camera.

    Attributes:
        position: in world coordinates.
        target: the point in the middle of the picture.
    """

    position: Vector
    target: Vector

    @cached_property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors to the right, up and forward in the picture."""
        forward = _unit(_minus(self.target, self.position))
        right = _unit((forward[1], -forward[0], 0.0))
        up = _cross(right, forward)
        return right, up, forward

    @cached_property
    def directions(self) -> dict[str, Vector]:
        """Unit vectors that relations are measured along, the camera's axes projected to the ground as CLEVR does."""
        right, _, forward = self.axes
        behind = _unit((forward[0], forward[1], 0.0))
        vectors = {"right": right, "behind": behind, "above": (0.0, 0.0, 1.0)}
        vectors |= {"left": _negative(right), "front": _negative(behind), "below": (0.0, 0.0, -1.0)}
        return {name: vectors[name] for name in DIRECTIONS}

    @staticmethod
    def focal(size: tuple[int, int]) -> float:
        """The focal length in pixels for a picture of (height, width)."""
        height, width = size
        return min(width / WIDTH, height / HEIGHT)

    def project(self, point: Vector, size: tuple[int, int]) -> Vector:
        """Return the pixel coordinates (x, y) of a point and its depth along the optical axis."""
        relative = _minus(point, self.position)
        x, y, depth = (_dot(relative, axis) for axis in self.axes)
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


def _minus(a: Vector, b: Vector) -> Vector:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _negative(a: Vector) -> Vector:
    return (-a[0] + 0.0, -a[1] + 0.0, -a[2] + 0.0)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _unit(a: Vector) -> Vector:
    length = math.sqrt(_dot(a, a))
    return (a[0] / length, a[1] / length, a[2] / length)
