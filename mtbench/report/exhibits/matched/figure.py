"""The figure of results over cost: a panel for each of three costs, and a point per method with its name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.matched.data import Arm, Arms
from mtbench.report.figure.intervals import CUT as INTERVALS
from mtbench.report.figure.intervals import interval_of
from mtbench.report.figure.labels import Named, label_points
from mtbench.report.figure.legend import legend_of, longest
from mtbench.report.figure.lines import label_log
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.figure.whiskers import Whisker, draw_whiskers
from mtbench.report.page.suite import heading, known_by_name, quantity
from mtbench.report.text import counted

__all__ = ["draw_matched"]

_FEW, _SHORT = 6, 16
"""Points that have their names beside them at most, and characters of such a name; else a number stands for it."""
_EXPLAINED = (
    f"Points: means over seeds of the mean over tasks, with {INTERVALS}.\nStar and dotted lines: the reference."
)


def draw_matched(runs: SuiteRuns, found: Arms, known: Mapping[str, Look] = MappingProxyType({})) -> Figure:
    """Return the mean over tasks over the weights, over the operations that answer one task, and over those that answer
    all.

    Where names are many or long, points have numbers, and the legend has the names.
    """
    points, sizes = [arm for arm, _ in found.points], [size for _, size in found.points]
    sheet, reference, unit = found.sheet, found.reference, found.column.unit
    titles = {point.name: point.title for point in points}
    look = looks_of(titles, known_by_name(titles, known))
    numbered = len(points) > _FEW or longest(point.title for point in points) > _SHORT
    names = [str(number) if numbered else point.title for number, point in enumerate(points, start=1)]
    told = [f"{name}. {point.title}" if numbered else point.title for name, point in zip(names, points, strict=True)]
    legend = legend_of(told if numbered else [], _EXPLAINED, at_most=3)
    costs = {
        "weights": [size.weights for size in sizes],
        "MACs to answer one task": [size.macs_per_task for size in sizes],
        "MACs to answer all tasks": [size.macs_per_input for size in sizes],
    }
    marks: list[dict[str, Any]] = [
        {
            "color": look[point.name].color,
            "marker": "*" if point.name == reference else look[point.name].marker,
            "markersize": 8 if point.name == reference else 4,
            "linestyle": "",
            "mew": 0,
        }
        for point in points
    ]
    with paper_style():
        figure = new_figure(3.2 + legend.height)
        figure.suptitle(heading(runs, f": {sheet.comparison.dataset}, protocol {sheet.comparison.title}"))
        panels = figure.subplots(1, len(costs), sharey=True)
        for (label, spent), axes in zip(costs.items(), panels, strict=True):
            _draw_panel(axes, points, spent, marks, reference, unit)
            axes.set_xlabel(label)
        panels[0].set_ylabel(quantity(found.column))
        legend.draw(figure, [Line2D([], [], **mark) for mark in marks] if numbered else [])
        named = [
            (
                axes,
                [
                    Named(
                        name=name,
                        x=cost,
                        y=point.summary.mean,
                        low=(interval_of(point.summary, unit) or (point.summary.mean,))[0],
                        high=(interval_of(point.summary, unit) or (point.summary.mean,))[-1],
                    )
                    for name, point, cost in zip(names, points, spent, strict=True)
                ],
            )
            for spent, axes in zip(costs.values(), panels, strict=True)
        ]
        label_points(figure, named)
    return figure


def _draw_panel(
    axes: Axes, points: Sequence[Arm], costs: Sequence[int], marks: Sequence[dict[str, Any]], reference: str, unit: str
) -> None:
    """Points with their intervals over what they cost, and lines through the reference."""
    whiskers = []
    for point, cost, mark in zip(points, costs, marks, strict=True):
        axes.plot(cost, point.summary.mean, zorder=4, **mark)
        if interval := interval_of(point.summary, unit):
            low, high = interval
            whiskers.append(Whisker(at=cost, low=low, high=high, color=mark["color"]))
        if point.name == reference:
            axes.axvline(cost, color="#888888", linewidth=0.6, linestyle=":", zorder=1)
            axes.axhline(point.summary.mean, color="#888888", linewidth=0.6, linestyle=":", zorder=1)
    draw_whiskers(axes, whiskers, [[point.summary.mean for point in points]], upright=True)
    axes.margins(x=0.12)
    if max(costs) > 4 * min(costs):
        label_log(axes, "x", costs)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: counted(value)))
