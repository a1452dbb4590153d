"""Solid shapes that ellipsoids sweep along a line, seen in parallel projection with a depth buffer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Buffer", "Sweep", "place"]

Array = NDArray[np.float32]

PIECE = 9
"""Number of ellipsoids of a solid that are processed together."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A solid: the union of ellipsoids of one orientation and proportion, whose centers are on a line.

    Coordinates are those of the camera, in pixels: x to the right, y down, z toward the viewer.

    Attributes:
        label: the part of the scene that it belongs to.
        centers: (K, 3).
        radii: (K,).
        squash: (3, 3) symmetric M: a point p belongs to the ellipsoid at c if |M (p - c)| <= r.
    """

    label: int
    centers: Array
    radii: Array
    squash: Array


class Buffer:
    """The nearest solid at each sample of a picture.

    Args:
        shape: (rows, columns) of samples.
        step: distance of two samples in pixels; the first lies half of it from the border.

    Attributes:
        label: (rows, columns) int16, -1 where nothing is.
        depth: z there.
        along: place along the sweep's line, 0 to 1.
        normal: (3, rows, columns) of the surface.
    """

    def __init__(self, shape: tuple[int, int], step: float) -> None:
        self.step = step
        self.label = np.full(shape, -1, np.int16)
        self.depth = np.full(shape, -np.inf, np.float32)
        self.along = np.zeros(shape, np.float32)
        self.normal = np.zeros((3, *shape), np.float32)

    def draw(self, sweep: Sweep) -> None:
        """Add a solid where it is nearer than the present surface."""
        last = len(sweep.radii) - 1
        for start in range(0, max(last, 1), PIECE):
            self._draw(sweep, slice(max(start - 1, 0), start + PIECE + 2))

    def _draw(self, sweep: Sweep, piece: slice) -> None:
        """Add a few neighbors of the ellipsoids of a solid. Small boxes about them save time."""
        centers, radii = sweep.centers[piece], sweep.radii[piece]
        rows, columns = self._box(centers, radii, sweep.squash)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        x = (self.step * (np.arange(columns.start, columns.stop) + 0.5)).astype(np.float32)
        y = (self.step * (np.arange(rows.start, rows.stop) + 0.5)).astype(np.float32)
        spots, depth, place, normal = _seen(centers, radii, sweep.squash, x, y)
        spots = spots // len(x) * self.label.shape[1] + spots % len(x)
        spots += rows.start * self.label.shape[1] + columns.start
        nearer = depth > self.depth.ravel()[spots]
        spots = spots[nearer]
        self.depth.ravel()[spots] = depth[nearer]
        self.label.ravel()[spots] = sweep.label
        self.along.ravel()[spots] = (place[nearer] + piece.start) / max(len(sweep.radii) - 1, 1)
        self.normal.reshape(3, -1)[:, spots] = normal[:, nearer]

    def _box(self, centers: Array, radii: Array, squash: Array) -> tuple[slice, slice]:
        """Return the rows and columns that ellipsoids can be seen in."""
        spans = []
        inverse = np.linalg.inv(squash.astype(np.float64))
        for axis, count in ((1, self.label.shape[0]), (0, self.label.shape[1])):
            reach = radii * np.sqrt((inverse[axis] ** 2).sum())
            low, high = (centers[:, axis] - reach).min(), (centers[:, axis] + reach).max()
            spans.append(slice(max(0, int(low / self.step) - 1), min(count, int(high / self.step) + 2)))
        return spans[0], spans[1]


def _seen(
    centers: Array, radii: Array, squash: Array, x: Array, y: Array
) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """Return the samples of a grid with columns x and rows y that ellipsoids cover, and the nearest surface there.

    That is depth, place along the line (0 to K - 1), and normal (3, S). An ellipsoid at c is met at depth
    z = c_z + (-b + sqrt(disc)) / a, with Q = M M, a = Q_33, b = Q_13 dx + Q_23 dy and
    disc = b² - a (|M (dx, dy, 0)|² - r²). Of all K the nearest is taken; between it and its neighbors the line is
    followed to the top of the parabola through their depths, which makes the surface smooth.
    """
    q = squash @ squash
    a = q[2, 2]
    e, f, g = a * q[0, 0] - q[0, 2] ** 2, a * q[0, 1] - q[0, 2] * q[1, 2], a * q[1, 1] - q[1, 2] ** 2
    dx = x[None, None, :] - centers[:, 0, None, None]  # (K, 1, W)
    dy = y[None, :, None] - centers[:, 1, None, None]  # (K, H, 1)
    disc = (a * radii[:, None, None] ** 2 - e * dx**2) - g * dy**2
    if f:
        disc -= (2 * f) * dx * dy
    spots = np.flatnonzero((disc > 0).any(0))
    count = len(radii)
    disc = disc.reshape(count, -1)[:, spots]  # (K, S)
    hit = disc > 0
    x, y = x[spots % len(x)], y[spots // len(x)]
    depth = np.sqrt(np.where(hit, disc, 0)) / a + centers[:, 2, None]
    depth -= q[0, 2] / a * (x - centers[:, 0, None]) + q[1, 2] / a * (y - centers[:, 1, None])
    depth[~hit] = -np.inf
    best, sample = depth.argmax(0), np.arange(len(spots))
    before, after = np.maximum(best - 1, 0), np.minimum(best + 1, count - 1)
    inner = hit[before, sample] & hit[after, sample]
    left, top, right = (np.where(inner, depth[index, sample], 0) for index in (before, best, after))
    shift = np.zeros_like(top)
    np.divide(0.5 * (left - right), left - 2 * top + right, out=shift, where=left - 2 * top + right < 0)
    place = np.clip(best + np.clip(shift, -0.5, 0.5), 0, count - 1).astype(np.float32)
    low = np.minimum(place.astype(np.intp), max(count - 2, 0))
    high, part = np.minimum(low + 1, count - 1), place - low
    center = centers.T[:, low] * (1 - part) + centers.T[:, high] * part  # (3, S)
    radius = radii[low] * (1 - part) + radii[high] * part
    dx, dy = x - center[0], y - center[1]
    disc = np.maximum(a * radius**2 - e * dx**2 - 2 * f * dx * dy - g * dy**2, 0)
    dz = (np.sqrt(disc) - q[0, 2] * dx - q[1, 2] * dy) / a
    normal = np.stack([q[i, 0] * dx + q[i, 1] * dy + q[i, 2] * dz for i in range(3)])
    normal /= np.sqrt((normal**2).sum(0)) + np.float32(1e-9)
    return spots, center[2] + dz, place, normal


def place(
    label: int,
    points: NDArray[np.float64],
    turn: NDArray[np.float64],
    scale: float,
    origin: NDArray[np.float64],
    thin: NDArray[np.float64] | None = None,
    ratio: float = 1.0,
) -> Sweep:
    """Return a solid in the camera's coordinates.

    Args:
        label: see `Sweep`.
        points: (K, 4), centers and radii.
        turn: (3, 3) to the axes of the camera.
        scale: pixels per unit.
        origin: (3,) pixels at which the origin is seen.
        thin: the direction in which the ellipsoids are thinner, of length 1; None for spheres.
        ratio: thickness in that direction relative to the others, 0 to 1.
    """
    squash = np.eye(3)
    if thin is not None:
        seen = turn @ thin
        squash += (1 / ratio - 1) * np.outer(seen, seen)
    return Sweep(
        label=label,
        centers=((scale * points[:, :3]) @ turn.T + origin).astype(np.float32),
        radii=(scale * points[:, 3]).astype(np.float32),
        squash=squash.astype(np.float32),
    )
