"""The figure of a suite over datasets with more and more tasks: panels of the results and the cost of methods."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtbench.report.data.columns import Column
from mtbench.report.data.cost.magnitude import Magnitude
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.scaling.data import Point, Scale
from mtbench.report.figure.legend import ENDS_EXPLAINED, MANY, legend_of, told_apart
from mtbench.report.figure.lines import EXPLAINED, Line, draw_lines, handle, label_log, label_places, nearest
from mtbench.report.figure.style import WIDTH, Look, new_figure, paper_style
from mtbench.report.page.suite import heading, known_by_name, quantity

__all__ = ["draw_scaling"]

_ACROSS = 3
"""Panels side by side."""
_INCHES = (WIDTH - 0.5) / _ACROSS - 0.5
"""Width of a panel without what stands beside it."""
_HEIGHT = 2.1
"""Inches of a row of panels."""
_WIDE = 15
"""The ratio of the largest number of tasks to the smallest: beyond it the axis of tasks is logarithmic."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Something that is drawn over the number of tasks.

    Attributes:
        title: the title of the panel.
        values: a function from a dataset and the suite's name of a method to a value per seed, or one value without a
            seed.
        label: the label of the axis; empty for the words of `column`.
        column: the results of runs that it shows; None if there are none.
        zero: True if 0 is to be marked.
        cost: True if it is a cost, which is the same for every seed; so is everything with a `sign`.
        sign: the sign before numbers.
    """

    title: str
    values: Callable[[Point, str], NDArray[np.float64]]
    label: str = ""
    column: Column | None = None
    zero: bool = False
    cost: bool = False
    sign: str = ""


def draw_scaling(runs: SuiteRuns, scale: Scale, known: Mapping[str, Look] = MappingProxyType({})) -> Figure:
    """Return a panel each, a line per method; costs on logarithmic axes, and so is the number of tasks where it grows
    much. Of many methods the best and the worst on average over datasets, by the first panel, are colored."""
    panels, titles, points = _panels(scale), scale.titles, scale.points
    at = tuple(float(point.tasks) for point in points)
    log = at[-1] > _WIDE * at[0]
    goodness = {}
    for method in titles:
        values = np.concatenate([panels[0].values(point, method) for point in points])
        higher = panels[0].column is None or panels[0].column.higher_is_better
        if np.isfinite(values).any():
            goodness[method] = float(np.nanmean(values)) * (1 if higher else -1)
        elif any(method in point.counted for point in points):
            goodness[method] = math.nan
    apart = told_apart(list(titles), goodness, known_by_name(titles, known))
    many = len(goodness) > MANY
    explained = EXPLAINED + (f"\n{ENDS_EXPLAINED.format(by='on average')}" if many else "")
    named = [rank + titles[method] for method, (rank, _) in apart.items()]
    legend = legend_of(named, explained, at_most=2 if many else 6)
    with paper_style():
        down = math.ceil(len(panels) / _ACROSS)
        figure = new_figure(0.45 + _HEIGHT * down + legend.height)
        figure.suptitle(heading(runs, scale.words))
        grid = figure.subplots(down, _ACROSS, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for panel, axes in zip(panels, grid.flat, strict=False):
            is_cost = panel.cost or bool(panel.sign)
            if panel.zero:
                axes.axhline(0, color="#555555", linewidth=0.7)
            draw_lines(
                axes,
                [
                    Line(
                        look=apart[method][1] if method in apart else None,
                        at=at,
                        values=tuple(panel.values(point, method) for point in points),
                    )
                    for method in goodness
                ],
                room=nearest(at, inches=_INCHES, log=log),
                unit=panel.column.unit if panel.column else "",
                intervals=not is_cost,
            )
            names = [f"{place:g}" for place in at]
            label_places(axes, at, names, inches=_INCHES, log=log)
            if is_cost:
                shown = [value for method in goodness for point in points for value in panel.values(point, method)]
                label_log(axes, "y", shown, panel.sign)
            axes.set(xlabel="tasks", title=panel.title, ylabel=quantity(panel.column) if panel.column else panel.label)
        legend.draw(figure, [handle(look) for _, look in apart.values()])
    return figure


def _panels(scale: Scale) -> list[Panel]:
    """Return what is drawn: results where there are some, then costs."""

    def sized(of: Callable[[Magnitude], float]) -> Callable[[Point, str], NDArray[np.float64]]:
        def values(point: Point, method: str) -> NDArray[np.float64]:
            found = point.size(method)
            return np.array([of(found)] if found else [])

        return values

    results = [Panel(title="mean over tasks", column=scale.column, values=scale.means)] if scale.column else []
    if scale.single:
        results.append(Panel(title=f"gain over {scale.single}", label="Δm (%)", values=scale.gains, zero=True))
    costs = [
        Panel(
            title="weights",
            label="relative to single-task",
            sign="\N{MULTIPLICATION SIGN}",
            values=sized(lambda size: size.relative),
        ),
        Panel(title="to answer one task", label="MACs", values=sized(lambda size: size.macs_per_task), cost=True),
        Panel(title="to answer all tasks", label="MACs", values=sized(lambda size: size.macs_per_input), cost=True),
    ]
    return [*results, *costs]
