"""The surface that each ray of a picture meets first."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .scene import FACES, Scene
from .solids import Solid

__all__ = ["Surface", "see"]

NEAR = 0.05
"""Depth in meters: of a solid that comes nearer to the camera's plane every ray is looked at."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The surfaces that the rays of a picture meet first. R = height * width rays.

    Attributes:
        scene: the scene to be seen.
        rays: (3, height, width) float32, from `Pinhole.rays`.
        depth: (R,) float32, meters along the optical axis.
        index: (R,) int64: 0 to 5 the face of the room, in the order of `FACES`, then 6 + the number of the solid.
    """

    scene: Scene
    rays: Tensor
    depth: Tensor
    index: Tensor

    def points(self) -> Tensor:
        """Return the points (3, R) that are seen, in the room's axes."""
        return torch.tensor(self.scene.camera.position)[:, None] + self.depth * self.rays.flatten(1)

    def labels(self) -> Tensor:
        """Return the classes (R,) int64 of the visible surfaces, -1 for surfaces without one."""
        return torch.tensor([*FACES, *(solid.label for solid in self.scene.solids)])[self.index]

    def glass(self) -> Tensor:
        """Return True (R,) where glass is seen."""
        return torch.tensor([False] * len(FACES) + [solid.glass for solid in self.scene.solids])[self.index]

    def normals(self, points: Tensor) -> Tensor:
        """Return unit normals (3, R) toward the camera at the points that are seen, in the room's axes."""
        inwards = torch.cat([torch.eye(3)[:, axis, None] * torch.tensor([1.0, -1.0]) for axis in range(3)], 1)
        result = inwards[:, self.index.clamp(max=len(FACES) - 1)]
        for solid, rays in self.seen():
            result[:, rays] = solid.normals(points[:, rays])
        return result

    def seen(self) -> Iterator[tuple[Solid, Tensor]]:
        """Yield each solid that is seen, with the numbers of the rays that meet it."""
        order = self.index.argsort(stable=True)
        counts = torch.bincount(self.index, minlength=len(FACES) + len(self.scene.solids)).tolist()
        begin = sum(counts[: len(FACES)])
        for solid, count in zip(self.scene.solids, counts[len(FACES) :], strict=True):
            if count:
                yield solid, order[begin : begin + count]
            begin += count


def see(scene: Scene, size: tuple[int, int], samples: int) -> Surface:
    """Follow the rays of a picture of (height, width) pixels, samples x samples in each, to the first surfaces."""
    rays = scene.camera.rays(size, samples)
    origin = torch.tensor(scene.camera.position)
    ends = torch.tensor(scene.size)[:, None, None].where(rays > 0, 0)
    walls = ((ends - origin[:, None, None]) / rays).where(rays != 0, math.inf)
    depth, axis = walls.min(0)
    index = 2 * axis + (rays.gather(0, axis[None])[0] > 0)
    for number, solid in enumerate(scene.solids):
        rows, columns = _window(solid, scene, size, samples)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        window = rays[:, rows, columns]
        hit = solid.entry(origin[:, None], window.flatten(1)).view(window.shape[1:])
        nearer = hit < depth[rows, columns]
        depth[rows, columns] = hit.where(nearer, depth[rows, columns])
        index[rows, columns] = index[rows, columns].masked_fill(nearer, len(FACES) + number)
    return Surface(scene=scene, rays=rays, depth=depth.flatten(), index=index.flatten())


def _window(solid: Solid, scene: Scene, size: tuple[int, int], samples: int) -> tuple[slice, slice]:
    """Return the rows and columns of rays that contain every ray which meets a solid: those of its box's corners."""
    relative = solid.corners() - torch.tensor(scene.camera.position)[:, None]
    right, up, depth = torch.tensor(scene.camera.axes) @ relative
    (height, width), focal = size, scene.camera.focal(size)
    if float(depth.max()) < 0:
        return slice(0, 0), slice(0, 0)
    if float(depth.min()) < NEAR:
        return slice(0, height * samples), slice(0, width * samples)
    spans = []
    for places, pixels in ((height / 2 - focal * up / depth, height), (width / 2 + focal * right / depth, width)):
        first, last = math.floor(float(places.min()) * samples), math.ceil(float(places.max()) * samples)
        spans.append(slice(max(0, min(first - 1, pixels * samples)), max(0, min(last + 1, pixels * samples))))
    return spans[0], spans[1]
