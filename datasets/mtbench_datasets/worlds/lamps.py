"""Lamps that are wider than a point, whose shadows have soft borders."""

import torch
from torch import Tensor

from .camera import Vector

__all__ = ["GAMMA", "lamp_points"]

GAMMA = 2.2
"""Brightness in a picture is linear light to the power of 1 / GAMMA."""


def lamp_points(lamp: Vector, radius: float, shape: torch.Size, samples: int) -> Tensor:
    """Return the point of a lamp for each ray, (3, R).

    The rays of a pixel use as many points of a level square, no two of them in one row or column of it.

    Args:
        lamp: the middle of the square.
        radius: half the side of the square.
        shape: (height, width) in rays; R is their product.
        samples: rays per pixel along an axis.
    """
    height, width = shape
    count = samples * samples
    cell = torch.arange(height)[:, None] % samples * samples + torch.arange(width) % samples
    turned = cell % samples * samples + (samples - 1 - cell // samples)
    x, y, z = lamp
    across, along = (radius * ((2 * ranks + 1) / count - 1) for ranks in (cell, turned))
    return torch.stack([x + across, y + along, torch.full((height, width), z)]).flatten(1)
