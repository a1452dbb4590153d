"""Names beside points, such that none lies on another, on a point or on an interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

__all__ = ["Named", "label_points"]

_DISTANCES = (5.0, 8.0, 12.0, 17.0, 23.0, 30.0, 38.0, 47.0, 57.0, 68.0)
"""Points from a point to its name, tried in turn."""
_ANGLES = (0, 180, 90, 270, 45, 315, 135, 225)
"""Degrees likewise, at each distance."""
_NEAR = 5.5
"""Points up to which a name needs no line to its point."""
_HALF = 3.4
"""Half of what a point takes, in points."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A point with a vertical interval, in the coordinates of its axes, and its name."""

    name: str
    x: float
    y: float
    low: float
    high: float


def label_points(figure: Figure, panels: Sequence[tuple[Axes, Sequence[Named]]]) -> None:
    """Write names beside points; where that is further away than a point's own surroundings, with a thin line.

    It fixes the layout of the figure: everything else must be there. Points without a name are not written on. Places
    are tried nearest first, and the one that overlaps least is taken, which is none at all unless a panel is full.
    """
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    for axes, points in panels:
        frame, taken = axes.get_window_extent(), [box for point in points for box in _occupied(axes, point, scale)]
        for point in points:
            if not point.name:
                continue
            note, wide, high = _write(figure, axes, point)
            x, y = axes.transData.transform((point.x, point.y)) / scale
            best, least = (0.0, 0.0), math.inf
            for across, up in _offsets(wide, high):
                box = _around((x + across) * scale, (y + up) * scale, wide / 2 * scale, high / 2 * scale)
                outside = box.width * box.height - _shared(box, frame)
                overlap = round(sum(_shared(box, other) for other in taken) + 4 * outside, 6)
                if overlap < least:
                    best, least, chosen = (across, up), overlap, box
                if not overlap:
                    break
            taken.append(chosen)
            note.set_position(best)
            gap = math.hypot(max(0.0, abs(best[0]) - wide / 2), max(0.0, abs(best[1]) - high / 2))
            if gap > _NEAR:
                _join(axes, point, best)


def _write(figure: Figure, axes: Axes, point: Named) -> tuple[Annotation, float, float]:
    """Return a name on its point, and its width and height in points, with a little room around it."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    note = axes.annotate(
        point.name,
        (point.x, point.y),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=6.5,
        ha="center",
        va="center",
        zorder=5,
    )
    note.set_in_layout(False)
    renderer, scale = canvas.get_renderer(), figure.dpi / 72  # type: ignore[no-untyped-call]
    extent = note.get_window_extent(renderer)
    return note, extent.width / scale + 1.5, extent.height / scale + 1


def _join(axes: Axes, point: Named, name: tuple[float, float]) -> None:
    """A thin line from a point to the middle of its name, behind both."""
    line = {"arrowstyle": "-", "color": "#9A9A9A", "linewidth": 0.4, "shrinkA": 4, "shrinkB": 0}
    joined = axes.annotate("", (point.x, point.y), xytext=name, textcoords="offset points", arrowprops=line, zorder=2)
    joined.set_in_layout(False)


def _occupied(axes: Axes, point: Named, scale: float) -> Iterator[Bbox]:
    x, y = axes.transData.transform((point.x, point.y))
    yield _around(x, y, _HALF * scale, _HALF * scale)
    low, high = (axes.transData.transform((point.x, end))[1] for end in (point.low, point.high))
    yield Bbox([[x - scale, low], [x + scale, high]])


def _offsets(wide: float, high: float) -> Iterator[tuple[float, float]]:
    """Middles of a name of this size in points, seen from its point, nearest first."""
    for distance in _DISTANCES:
        for angle in _ANGLES:
            across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            sideways = 0.0 if angle in (90, 270) else math.copysign(wide / 2, across)
            upwards = 0.0 if angle in (0, 180) else math.copysign(high / 2, up)
            yield distance * across + sideways, distance * up + upwards


def _around(x: float, y: float, across: float, up: float) -> Bbox:
    return Bbox([[x - across, y - up], [x + across, y + up]])


def _shared(one: Bbox, other: Bbox) -> float:
    """Square pixels that two boxes share."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(0.0, wide) * max(0.0, high))
