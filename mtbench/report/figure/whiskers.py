"""Intervals in figures, cut off where they would dwarf what was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import ArrayLike

__all__ = ["Whisker", "draw_whiskers", "shifted"]


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """An interval of a mean.

    Attributes:
        at: its place on the axis that it does not extend over.
        low, high: its ends, on the other.
        color: the color as ``#RRGGBB``.
        shift: the shift from its place, in points.
    """

    at: float
    low: float
    high: float
    color: str
    shift: float = 0.0


def draw_whiskers(
    axes: Axes, whiskers: Sequence[Whisker], values: Iterable[ArrayLike], *, upright: bool, beyond: float = 1.5
) -> None:
    """Draw intervals, and have the axis show every value, and as much of each interval as goes not too far beyond them.
    Where one is cut off, it ends in an arrow.

    Args:
        values: the other values on the axis, including NaNs.
        upright: True if the intervals are vertical.
        beyond: the limit of distances, as a multiple of the spread of the values.
    """
    known = np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in values] or [np.empty(0)])
    known = known[np.isfinite(known)]
    if not len(known):
        return
    least, most = float(known.min()), float(known.max())
    most_beyond = beyond * ((most - least) or 0.01 * abs(most) or 1.0)
    low = max(min([least, *(whisker.low for whisker in whiskers)]), least - most_beyond)
    high = min(max([most, *(whisker.high for whisker in whiskers)]), most + most_beyond)
    margin = 0.06 * ((high - low) or most_beyond)
    low, high = low - margin, high + margin
    (axes.set_ylim if upright else axes.set_xlim)(low, high)
    for whisker in whiskers:
        transform = shifted(axes, whisker.shift, upright=upright)
        ends = (max(whisker.low, low), min(whisker.high, high))
        look = {"color": whisker.color, "transform": transform, "solid_capstyle": "butt"}
        _plot(axes, [whisker.at] * 2, ends, upright, linewidth=0.9, **look)
        for end, cut, arrow in ((ends[0], whisker.low < low, "v<"), (ends[1], whisker.high > high, "^>")):
            marker = arrow[not upright] if cut else "_|"[not upright]
            _plot(axes, [whisker.at], [end], upright, marker=marker, markersize=4, clip_on=not cut, mew=0.9, **look)


def shifted(axes: Axes, points: float, *, upright: bool) -> Transform:
    """Return the axes' own coordinates, moved by some points: to the right for what is upright, else down."""
    across, up = (points / 72, 0.0) if upright else (0.0, -points / 72)
    figure = axes.get_figure(root=True)
    assert figure is not None
    return axes.transData + ScaledTranslation(across, up, figure.dpi_scale_trans)


def _plot(axes: Axes, at: Sequence[float], along: Sequence[float], upright: bool, **look: object) -> None:
    x, y = (at, along) if upright else (along, at)
    axes.plot(x, y, **look)  # type: ignore[arg-type]
