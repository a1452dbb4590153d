"""Smooth curves through points."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["curve"]


def curve(points: NDArray[np.float64], steps: int, *, closed: bool = False) -> NDArray[np.float64]:
    """Return points (K, C) along the Catmull-Rom spline through points (P, C), with `steps` from one to the next.

    Args:
        points: (P, C), at least two.
        steps: K is P x steps of a closed curve, and (P - 1) x steps + 1 of an open one, which has the last point too.
        closed: True if the curve continues from the last point to the first.
    """
    ends = (
        (points[-1:], points[:2])
        if closed
        else (2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1])  # mirrored
    )
    padded = np.concatenate([ends[0], points, ends[1]])
    t = (np.arange(steps) / steps)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate(pieces if closed else [*pieces, points[-1:]])
