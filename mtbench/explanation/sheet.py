"""Sheets of small pictures in lines, with words above and below each."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mtbench.report.style import WIDTH, new_figure, paper_style

__all__ = ["COLUMNS", "Line", "Panel", "Sheet", "draw", "height_of", "overlaid"]

COLUMNS = 6
"""Pictures in a line."""
GAP = 0.06  # inches between pictures
SIDE = (WIDTH - GAP) / COLUMNS - GAP  # inches, of a picture
TYPE = 6.5  # points
ROW = TYPE * 1.3 / 72  # inches, of a line of text
HEAD = 0.24  # inches, of a line that stands above pictures
WRONG = "#D55E00"
"""The colour of wrong answers, of `mtbench.report.style`."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A picture with marks in it.

    Attributes:
        image: (H, W, 3) in [0, 1].
        above: words in a line above it.
        below: lines of words below it.
        wrong: whether the first of these is in the colour of wrong answers.
        true: the true point, x and y in pixels, or None.
        peak: the map's peak, likewise.
    """

    image: NDArray[np.float64]
    above: str = ""
    below: tuple[str, ...] = ()
    wrong: bool = False
    true: tuple[float, float] | None = None
    peak: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Pictures side by side, from the left; None leaves a place free. Above them may stand a heading."""

    panels: Sequence[Panel | None]
    heading: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A title and lines of pictures."""

    title: str
    lines: Sequence[Line]


def draw(sheet: Sheet) -> Figure:
    """Draw a sheet of the width of a paper's text, with a legend of the marks that are in it."""
    marks = [panel for line in sheet.lines for panel in line.panels if panel]
    handles = _handles(any(panel.true for panel in marks), any(panel.peak for panel in marks))
    top = 0.06 + 0.17 * (sheet.title.count("\n") + 1)
    height = top + sum(map(height_of, sheet.lines)) + (0.25 if handles else 0.05)
    with paper_style():
        figure = new_figure(height)
        figure.set_layout_engine("none")  # every place is known
        figure.text(GAP / WIDTH, 1 - 0.05 / height, sheet.title, va="top", fontsize=9)
        y = height - top
        for line in sheet.lines:
            if line.heading:
                figure.text(GAP / WIDTH, (y - HEAD + 0.05) / height, line.heading, va="bottom", fontsize=7.5)
            below = y - height_of(line)
            for column, panel in enumerate(line.panels):
                if panel:
                    _draw(figure, panel, GAP + column * (SIDE + GAP), below + _words(line), height)
            y = below
        if handles:
            figure.legend(handles=handles, loc="lower left", ncols=len(handles), borderaxespad=0.2)
    return figure


def height_of(line: Line) -> float:
    """Return the height of a line of pictures in inches, with its words."""
    above = ROW * any(panel and panel.above for panel in line.panels)
    tall = max(panel.image.shape[0] / panel.image.shape[1] for panel in line.panels if panel)
    return HEAD * bool(line.heading) + above + SIDE * tall + _words(line)


def overlaid(image: NDArray[np.float64], heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a picture (H, W, 3) in dim grey with a map (H, W) from 0 to 1 over it, from nothing over red to yellow."""
    grey = 0.6 * (image @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=2)
    colours = matplotlib.colormaps["autumn"](heat)[..., :3]
    share = 0.9 * np.sqrt(heat)[..., None]
    return (1 - share) * grey + share * colours  # type: ignore[no-any-return]


def _words(line: Line) -> float:
    return ROW * max((len(panel.below) for panel in line.panels if panel), default=0) + 0.05


def _draw(figure: Figure, panel: Panel, left: float, bottom: float, height: float) -> None:
    tall = SIDE * panel.image.shape[0] / panel.image.shape[1]
    axes = figure.add_axes((left / WIDTH, bottom / height, SIDE / WIDTH, tall / height))
    axes.imshow(panel.image.clip(0, 1), vmin=0, vmax=1, interpolation="nearest")
    axes.autoscale(False)
    axes.set_axis_off()
    for point, style in ((panel.true, _TRUE), (panel.peak, _PEAK)):
        if point is not None:
            axes.plot(*point, **{**style, "markeredgecolor": "black", "markeredgewidth": 2.0})
            axes.plot(*point, **style)
    if panel.above:
        axes.text(0, 1.02, panel.above, transform=axes.transAxes, fontsize=TYPE, va="bottom")
    for number, words in enumerate(panel.below):
        colour = WRONG if panel.wrong and not number else "black"
        place = -(0.03 + number * ROW) / tall
        axes.text(0, place, words, transform=axes.transAxes, fontsize=TYPE, va="top", color=colour)


_MARK = {"linestyle": "none", "color": "none", "markeredgecolor": "white", "markeredgewidth": 1.0}
_TRUE = {**_MARK, "marker": "o", "markersize": 8}
_PEAK = {**_MARK, "marker": "x", "markersize": 5}


def _handles(true: bool, peak: bool) -> list[Line2D]:
    shown = [("true point", _TRUE)] * true + [("peak of the map", _PEAK)] * peak
    return [Line2D([], [], **{**style, "markeredgecolor": "black"}, label=label) for label, style in shown]
