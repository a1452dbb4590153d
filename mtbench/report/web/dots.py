"""Seeds of a cell as dots on one axis per column."""

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["axis_of", "dots"]

_WIDTH = 80
_HEIGHT = 12
_EDGE = 4
_REACH = 8.0
"""The axis reaches so many median deviations from the median: one run that failed to learn hides no difference."""
_FEW = 0.25
"""The largest fraction of the numbers that may be beyond the axis."""


def axis_of(values: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Return the ends of the axis of a column, given the numbers of the seeds of each method; None without numbers."""
    known = np.array([value for row in values for value in row if math.isfinite(value)])
    if not len(known):
        return None
    middle = float(np.median(known))
    reach = _REACH * float(np.median(np.abs(known - middle)))
    near = np.abs(known - middle) <= reach
    inside = known[near] if reach and np.mean(~near) <= _FEW else known
    return float(inside.min()), float(inside.max())


def dots(values: Sequence[float], axis: tuple[float, float]) -> str:
    """Return a strip of SVG with a dot per seed, hollow at the edge where it is beyond the axis; empty without
    numbers."""
    circles = [_circle(value, seed, axis) for seed, value in enumerate(values) if math.isfinite(value)]
    return f'<svg class="dots" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(circles)}</svg>' * bool(
        circles
    )


def _circle(value: float, seed: int, axis: tuple[float, float]) -> str:
    low, high = axis
    place = 0.5 if low == high else (value - low) / (high - low)
    beyond = ' class="beyond"' if not 0 <= place <= 1 else ""
    x = _EDGE + (_WIDTH - 2 * _EDGE) * min(max(place, 0.0), 1.0)
    return f'<circle{beyond} cx="{x:.4g}" cy="{3 + seed % 3 * 3}" r="2.4"/>'
