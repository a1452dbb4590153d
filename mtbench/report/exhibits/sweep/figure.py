"""The figure of a number that is varied: a row per dataset, the mean over tasks and small panels of the tasks."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.sweep.data import Sweep, Swept
from mtbench.report.figure.legend import ENDS_EXPLAINED, MANY, legend_of, told_apart
from mtbench.report.figure.lines import EXPLAINED, Line, draw_lines, handle, label_places, nearest
from mtbench.report.figure.style import WIDTH, Look, new_figure, paper_style
from mtbench.report.page.suite import heading, known_by_name, quantity
from mtbench.report.text import wrap
from mtbench.stats.summary import summarize

__all__ = ["draw_sweep"]

_HEIGHT = 2.5
"""Inches of a row of panels."""
_ROWS = 3
"""Datasets whose tasks are shown one by one, at most."""
_ACROSS = 3
"""Panels side by side where each dataset has one."""


def draw_sweep(runs: SuiteRuns, sweep: Sweep, known: Mapping[str, Look] = MappingProxyType({})) -> Figure:
    """Return the test metric over the values: a line per method with its mean over seeds, the 95 % confidence interval
    and each seed.

    Of many methods the best and the worst on average over values and datasets are drawn like that, the others in grey.
    """
    parts = [part for part in sweep.parts if part.columns]
    titles = {name: title for part in parts for name, title in part.methods.items()}
    goodness = {name: value for name in titles if math.isfinite(value := _goodness(sweep, name))}
    apart = told_apart(list(titles), goodness, known_by_name(titles, known))
    many = len(goodness) > MANY
    explained = EXPLAINED + (f"\n{ENDS_EXPLAINED.format(by='on average')}" if many else "")
    named = [rank + titles[name] for name, (rank, _) in apart.items()]
    legend = legend_of(named, explained, at_most=2 if many else 6)
    look = {name: look for name, (_, look) in apart.items()}
    nested = len(parts) <= _ROWS and any(part.single for part in parts)
    drawn = [(part, column) for part in parts for column in (*part.main, *(part.single if nested else ()))]
    with paper_style():
        rows = len(parts) if nested else math.ceil(len(drawn) / _ACROSS)
        figure = new_figure(0.45 + _HEIGHT * rows + legend.height)
        figure.suptitle(heading(runs, "".join(f", {name}={value}" for name, value in sweep.fixed)))
        panels = _nested(figure, parts) if nested else _flat(figure, len(drawn))
        for (part, column), (axes, inches) in zip(drawn, panels, strict=True):
            small = column in part.single
            lines = [
                Line(
                    look=look.get(method),
                    at=sweep.at,
                    values=tuple(part.scores(method, value, column) for value in sweep.values),
                )
                for method in part.methods
                if method in goodness
            ]
            draw_lines(axes, lines, room=nearest(sweep.at, inches=inches, log=sweep.log), unit=column.unit, small=small)
            label_places(axes, sweep.at, sweep.values, inches=inches, log=sweep.log)
            shown = column.name if small or not column.is_mean else "mean over tasks"
            axes.set_title(wrap(shown if small else f"{part.dataset}: {shown}", int(inches * 16)))
            axes.set_ylabel("" if small else quantity(column))
            if not small:
                axes.set_xlabel(sweep.axis)
            elif column in part.single[: -math.ceil(len(part.single) / 2)]:
                axes.tick_params(labelbottom=False)  # as the panel below it
        legend.draw(figure, list(map(handle, look.values())))
    return figure


def _nested(figure: Figure, parts: list[Swept]) -> list[tuple[Axes, float]]:
    """Per dataset a wide panel, and small ones in two rows to its right; each with its width in inches."""
    panels = []
    rows = figure.add_gridspec(len(parts), 1)
    for row, part in enumerate(parts):
        main, across = len(part.main), math.ceil(len(part.single) / 2)
        share = (WIDTH - 0.7) / (2 * main + across)
        grid = rows[row].subgridspec(2, main + across, width_ratios=[2.0] * main + [1.0] * across)
        panels += [(figure.add_subplot(grid[:, place]), 1.8 * share) for place in range(main)]
        for place in range(len(part.single)):
            axes = figure.add_subplot(grid[place // across, main + place % across])
            panels.append((axes, 0.75 * share))
    return panels


def _flat(figure: Figure, count: int) -> list[tuple[Axes, float]]:
    across = min(_ACROSS, count)
    grid = figure.subplots(math.ceil(count / across), across, squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return [(axes, (WIDTH - 0.5) / across - 0.5) for axes in grid.flat[:count]]


def _goodness(sweep: Sweep, method: str) -> float:
    """Return the mean over datasets and values of the means over seeds of the first thing that is shown, higher for
    better."""
    means = [
        summarize(part.scores(method, value, part.main[0])).mean * (1 if part.main[0].higher_is_better else -1)
        for part in sweep.parts
        if part.main
        for value in sweep.values
    ]
    known = [mean for mean in means if math.isfinite(mean)]
    return float(np.mean(known)) if known else math.nan
