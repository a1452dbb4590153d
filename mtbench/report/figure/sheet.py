"""Sheets of small pictures in lines, with words above and below each, and keys below all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mtbench.report.figure.keys import Key
from mtbench.report.figure.style import WIDTH, new_figure, paper_style

__all__ = ["COLUMNS", "RIGHT", "WRONG", "Line", "Panel", "Sheet", "draw", "height_of", "overlaid"]

COLUMNS = 6
"""Pictures in a line, unless a sheet says otherwise."""
GAP = 0.06  # inches between pictures
TYPE = 6.5  # points
ROW = TYPE * 1.3 / 72  # inches, of a line of text
BETWEEN = 0.04  # inches, below a key
HEAD = 0.24  # inches, of a line that stands above pictures
WRONG, RIGHT = "#D55E00", "#0072B2"
"""Colors of wrong and of right answers, of `mtbench.report.figure.style`."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A picture with marks in it.

    Attributes:
        image: (H, W, 3) in [0, 1].
        above: words in a line above it.
        below: lines of words below it.
        wrong: True if the first of these has the color of wrong answers.
        true: the true point, x and y in pixels, or None.
        peak: the map's peak, likewise.
        frame: color of a frame; empty for none.
    """

    image: NDArray[np.float64]
    above: str = ""
    below: tuple[str, ...] = ()
    wrong: bool = False
    true: tuple[float, float] | None = None
    peak: tuple[float, float] | None = None
    frame: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Pictures side by side, from the left; None leaves a place free. Above them may stand a heading."""

    panels: Sequence[Panel | None]
    heading: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A title and lines of pictures.

    Attributes:
        columns: pictures in a whole line.
        keys: the meanings of colors.
    """

    title: str
    lines: Sequence[Line]
    columns: int = COLUMNS
    keys: Sequence[Key] = ()


def draw(sheet: Sheet) -> Figure:
    """Draw a sheet of the width of a paper's text, with a legend of the marks that are in it."""
    marks = [panel for line in sheet.lines for panel in line.panels if panel]
    handles = _handles(any(panel.true for panel in marks), any(panel.peak for panel in marks))
    top = 0.06 + 0.17 * (sheet.title.count("\n") + 1)
    below = sum(key.height + BETWEEN for key in sheet.keys) + (0.25 if handles else 0.05)
    height = top + sum(height_of(line, sheet.columns) for line in sheet.lines) + below
    side = _side(sheet.columns)
    with paper_style():
        figure = new_figure(height)
        figure.set_layout_engine("none")  # every place is known
        figure.suppressComposite = True  # pictures stay as fine as they are
        axes = figure.add_axes((0, 0, 1, 1))  # one for all, in inches: axes of their own take ten times as long
        axes.set(xlim=(0, WIDTH), ylim=(0, height), autoscale_on=False)
        axes.set_axis_off()
        axes.text(GAP, height - 0.05, sheet.title, va="top", fontsize=9)
        y = height - top
        for line in sheet.lines:
            if line.heading:
                axes.text(GAP, y - HEAD + 0.05, line.heading, va="bottom", fontsize=7.5)
            y -= height_of(line, sheet.columns)
            for column, panel in enumerate(line.panels):
                if panel:
                    _draw(axes, panel, GAP + column * (side + GAP), y + _words(line), side)
        for key in sheet.keys:
            key.draw(axes, y)
            y -= key.height + BETWEEN
        if handles:
            figure.legend(handles=handles, loc="lower left", ncols=len(handles), borderaxespad=0.2)
    return figure


def height_of(line: Line, columns: int = COLUMNS) -> float:
    """Return the height of a line of pictures in inches, with its words."""
    above = ROW * any(panel and panel.above for panel in line.panels)
    tall: float = max(panel.image.shape[0] / panel.image.shape[1] for panel in line.panels if panel)
    return HEAD * bool(line.heading) + above + _side(columns) * tall + _words(line)


def overlaid(image: NDArray[np.float64], heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a picture (H, W, 3) in dim grey with a map (H, W) from 0 to 1 over it, from nothing over red to yellow."""
    grey = 0.6 * (image @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=2)
    colors = matplotlib.colormaps["autumn"](heat)[..., :3]
    opacity = 0.9 * (heat**0.75)[..., None]  # places that are all but cold show the picture
    return (1 - opacity) * grey + opacity * colors  # type: ignore[no-any-return]


def _side(columns: int) -> float:
    """Return the width of a picture in inches."""
    return (WIDTH - GAP) / columns - GAP


def _words(line: Line) -> float:
    return ROW * max((len(panel.below) for panel in line.panels if panel), default=0) + 0.05


def _draw(axes: Axes, panel: Panel, left: float, bottom: float, side: float) -> None:
    """Draw a picture with its words; its lower left corner lies at a place in inches."""
    rows, columns, _ = panel.image.shape
    tall = side * rows / columns
    extent = (left, left + side, bottom, bottom + tall)
    axes.imshow(panel.image.clip(0, 1), extent=extent, aspect="auto", interpolation="nearest")
    if panel.frame:
        axes.add_patch(Rectangle((left, bottom), side, tall, fill=False, edgecolor=panel.frame, linewidth=1.6))
    for point, style in ((panel.true, _TRUE), (panel.peak, _PEAK)):
        if point is not None:
            x, y = left + (point[0] + 0.5) / columns * side, bottom + tall - (point[1] + 0.5) / rows * tall
            axes.plot(x, y, **{**style, "markeredgecolor": "black", "markeredgewidth": 2.0})
            axes.plot(x, y, **style)
    axes.text(left, bottom + tall + 0.02, panel.above, fontsize=TYPE, va="bottom")
    for number, words in enumerate(panel.below):
        color = WRONG if panel.wrong and not number else "black"
        axes.text(left, bottom - 0.03 - number * ROW, words, fontsize=TYPE, va="top", color=color)


_MARK: dict[str, Any] = {"linestyle": "none", "color": "none", "markeredgecolor": "white", "markeredgewidth": 1.0}
_TRUE = {**_MARK, "marker": "o", "markersize": 8}
_PEAK = {**_MARK, "marker": "x", "markersize": 5}


def _handles(true: bool, peak: bool) -> list[Line2D]:
    shown = [("true point", _TRUE)] * true + [("peak of the map", _PEAK)] * peak
    return [Line2D([], [], **{**style, "markeredgecolor": "black"}, label=label) for label, style in shown]
