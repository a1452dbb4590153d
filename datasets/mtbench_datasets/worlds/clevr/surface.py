"""The surface that each pixel shows, and how much of each object is seen."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .objects import Item
from .placement import Scene
from .primitives import entry, normals

__all__ = ["GROUND", "Surface", "all_visible", "see"]

GROUND = -1
MIN_PIXELS = 1 / 256
"""Part of the picture that each object must fill, 16 of 64 x 64 pixels. CLEVR asks for 200 of 480 x 320, 1/768."""
MIN_FRACTION = 0.5
"""Smallest visible fraction of an object, of the pixels that it would fill if it stood alone."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The surfaces that the rays of a picture meet first. R = height * width rays.

    Attributes:
        rays: (3, height, width) float32, from `Camera.rays`.
        depth: (R,) float32, along the optical axis.
        index: (R,) int64, of the object, or -1 for the ground.
        alone: number of rays that meet each object if it stands alone.
        cut: objects that reach the border of the picture.
    """

    rays: Tensor
    depth: Tensor
    index: Tensor
    alone: tuple[int, ...]
    cut: tuple[int, ...]

    def points(self, scene: Scene) -> Tensor:
        """Return the points (3, R) that are seen, in world coordinates."""
        return torch.tensor(scene.camera.position)[:, None] + self.depth * self.rays.flatten(1)

    def normals(self, scene: Scene, points: Tensor, *, rounded: bool) -> Tensor:
        """Return unit normals (3, R) at the points that are seen, in world coordinates."""
        result = torch.zeros_like(points)
        result[2] = 1
        for index, item in enumerate(scene.items):
            mine = (self.index == index).nonzero()[:, 0]
            result[:, mine] = normals(item, points[:, mine], rounded=rounded)
        return result


def see(scene: Scene, size: tuple[int, int], samples: int) -> Surface:
    """Follow the rays of a picture of (height, width) pixels, samples x samples in each, to the first surfaces."""
    rays = scene.camera.rays(size, samples)
    origin = torch.tensor(scene.camera.position)[:, None]
    depth = -origin[2, 0] / rays[2]  # of the ground; no ray points above the horizon
    index = torch.full(depth.shape, GROUND)
    alone, cut = [], []
    for number, item in enumerate(scene.items):
        rows, columns = _window(item, scene, size, samples)
        window = rays[:, rows, columns]
        hit = entry(item, origin, window.flatten(1)).view(window.shape[1:])
        met = hit < math.inf
        alone.append(int(met.sum()))
        at_border = torch.zeros(depth.shape, dtype=torch.bool)
        at_border[rows, columns] = met
        if at_border[[0, -1]].any() or at_border[:, [0, -1]].any():
            cut.append(number)
        nearer = hit < depth[rows, columns]
        depth[rows, columns] = hit.where(nearer, depth[rows, columns])
        index[rows, columns] = index[rows, columns].masked_fill(nearer, number)
    return Surface(rays=rays, depth=depth.flatten(), index=index.flatten(), alone=tuple(alone), cut=tuple(cut))


def all_visible(surface: Surface) -> bool:
    """Return True if enough is seen of each object, and none is cut by the border of the picture."""
    if surface.cut:
        return False
    seen = torch.bincount(surface.index + 1, minlength=len(surface.alone) + 1)[1:].tolist()
    least = MIN_PIXELS * len(surface.index)
    return all(count >= max(least, MIN_FRACTION * full) for count, full in zip(seen, surface.alone, strict=True))


def _window(item: Item, scene: Scene, size: tuple[int, int], samples: int) -> tuple[slice, slice]:
    """Return the rows and columns of rays that contain every ray which meets the object."""
    x, y, depth = scene.camera.project(item.center, size)
    # The picture of a sphere is an ellipse; a tenth more than its radius at the center's depth contains it here.
    radius = 1.1 * item.reach * scene.camera.focal(size) / (depth - item.reach)
    spans = []
    for middle, pixels in ((y, size[0]), (x, size[1])):
        first, last = math.floor((middle - radius) * samples), math.ceil((middle + radius) * samples)
        spans.append(slice(max(0, min(first, pixels * samples)), max(0, min(last, pixels * samples))))
    return spans[0], spans[1]
