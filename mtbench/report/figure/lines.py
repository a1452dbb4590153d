"""Lines over something that was varied: a mean per place, its interval, and every seed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from mtbench.report.figure.intervals import CUT as INTERVALS
from mtbench.report.figure.intervals import interval_of
from mtbench.report.figure.legend import GREY, LETTER
from mtbench.report.figure.style import Look
from mtbench.report.figure.whiskers import Whisker, draw_whiskers, shifted
from mtbench.report.text import counted
from mtbench.stats.summary import summarize

__all__ = ["EXPLAINED", "Line", "draw_lines", "handle", "label_log", "label_places", "nearest"]

EXPLAINED = f"Lines: means over seeds, with {INTERVALS}. Dots: a seed each."
_BEYOND = 0.3
"""Fraction of the spread of all values that an interval may go beyond them: they vary for more reasons than chance."""
_BESIDE = 2.0
"""Points from a mean to its seeds."""
_APART = 4.0
"""Points between the marks of two methods at one place, so that none hides the other."""
_SPREAD = 16.0
"""Points that the marks of all methods at one place may take, if they take no more than `_SHARE` of what is there."""
_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method over what was varied.

    Attributes:
        look: None for one of many that share the grey of the others.
        at: places on the x axis.
        values: per place a value per seed (S,), NaN where there is none.
    """

    look: Look | None
    at: tuple[float, ...]
    values: tuple[NDArray[np.float64], ...]


def draw_lines(
    axes: Axes, lines: Sequence[Line], *, room: float, unit: str = "", intervals: bool = True, small: bool = False
) -> None:
    """Draw methods side by side. A place without values is a gap.

    Args:
        room: points between the two places that are nearest to one another, as `nearest` finds them.
        unit: unit of the values; empty for changes and gains.
        intervals: True if values vary, so that means have intervals and seeds are shown.
        small: True if the panel is small.
    """
    for line in (line for line in lines if line.look is None):
        axes.plot(line.at, _means(line), color=GREY, linewidth=0.6, zorder=1)
    whiskers = []
    for shift, line, look in _side_by_side(lines, room):
        color = look.color
        axes.plot(
            line.at,
            _means(line),
            color=color,
            dashes=look.dashes,
            linewidth=1.2,
            marker=look.marker,
            markersize=2.4 if small else 3.6,
            transform=shifted(axes, shift, upright=True),
            zorder=3,
        )
        for place, values in zip(line.at, line.values, strict=True) if intervals else ():
            dots: Any = {
                "linestyle": "",
                "marker": "o",
                "markersize": 1.6 if small else 2.6,
                "mew": 0,
                "alpha": 0.5,
                "zorder": 2,
            }
            beside = shifted(axes, shift + _BESIDE, upright=True)
            axes.plot([place] * len(values), values, color=color, transform=beside, **dots)
            if bounds := interval_of(summarize(values), unit):
                whiskers.append(Whisker(at=place, low=bounds[0], high=bounds[1], color=color, shift=shift))
    if intervals:
        shown = [values for line in lines if line.look for values in line.values]
        draw_whiskers(axes, whiskers, [*shown, *(_means(line) for line in lines)], upright=True, beyond=_BEYOND)


def handle(look: Look) -> Line2D:
    """Return a piece of a line for a legend."""
    return Line2D([], [], color=look.color, dashes=look.dashes, marker=look.marker, markersize=4, linewidth=1.2)


def label_places(axes: Axes, at: Sequence[float], names: Sequence[str], *, inches: float, log: bool) -> None:
    """Name the places of the x axis, as many as there is room for in a panel `inches` wide; all have a tick."""
    if log:
        axes.set_xscale("log")
    where = np.log(at) if log else np.asarray(at, dtype=np.float64)
    first, last = float(where.min()), float(where.max())
    margin = 0.1 * (last - first) or 1.0
    low, high = first - margin, last + margin
    axes.set_xlim(*(np.exp([low, high]) if log else (low, high)))
    shown, end = [], -np.inf
    for place, name in zip(where, names, strict=True):
        half = LETTER * len(name) / 2 + 0.02
        middle = inches * (float(place) - low) / (high - low)
        fits = middle - half > end
        shown.append(name if fits else "")
        end = middle + half if fits else end
    axes.xaxis.set_major_locator(FixedLocator(list(at)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(at), shown)


def nearest(at: Sequence[float], *, inches: float, log: bool) -> float:
    """Return points between the two places that are nearest to one another in a panel `inches` wide."""
    where = np.unique(np.log(at) if log else np.asarray(at, dtype=np.float64))
    if len(where) < 2:
        return 72 * inches
    return float(72 * inches * np.diff(where).min() / (1.2 * (where[-1] - where[0])))


def label_log(axes: Axes, which: str, values: Iterable[float], sign: str = "") -> None:
    """Make an axis (``x`` or ``y``) logarithmic, as wide as the positive values need, with round numbers written out
    and `sign` before them."""
    known = [value for value in values if value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    margin = max(1.15, (high / low) ** 0.1)
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low / margin, high * margin)
    if high <= 6 * low:
        axis.set_major_locator(MaxNLocator(nbins=4))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,), numticks=4))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: sign + (counted(value) if value >= 100 else f"{value:g}")))


def _side_by_side(lines: Sequence[Line], room: float) -> Iterator[tuple[float, Line, Look]]:
    """Return the lines with looks, each with its distance to the right of its place, in points."""
    known = [(line, line.look) for line in lines if line.look is not None]
    apart = min(_APART, min(_SPREAD, _SHARE * room) / max(1, len(known)))
    for place, (line, look) in enumerate(known):
        yield apart * (place - (len(known) - 1) / 2), line, look


def _means(line: Line) -> list[float]:
    return [summarize(values).mean for values in line.values]
