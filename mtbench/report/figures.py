"""The figures of a comparison: learning curves, and every seed of every task as a dot."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mtbench.report.caption import QUICK
from mtbench.report.comparison import Comparison, MethodRuns
from mtbench.report.style import WIDTH, Look, looks, new_figure, paper_style
from mtbench.report.table import Column, columns_of, scores
from mtbench.report.text import wrap
from mtbench.stats.paired import Summary, summarize
from mtbench.store.record import CurvePoint, TaskInfo

__all__ = ["draw_curves", "draw_points"]

_ACROSS = 4
"""Panels side by side in the point plot, at most."""
_LETTER = 0.055
"""Inches per character of small type."""
_LINE = 0.13
"""Inches per line of small type."""


def draw_curves(comparison: Comparison) -> Figure:
    """Two panels over epochs: the test metric (or loss, where tasks have unlike metrics) and the training loss.

    A thin line is a seed, a thick one the mean over seeds; both are means over tasks.
    """
    finished = [(method, look) for method, look in _drawn(comparison) if method.records]
    names = [wrap(method.title, 46) for method, _ in finished]
    across = min(len(names), 4, max(1, int(WIDTH / (_LETTER * (_longest(names) + 8)))))
    with paper_style():
        figure = new_figure(3.0 + _LINE * _lines_of_legend(names, across))
        figure.suptitle(_title(comparison))
        test, train = figure.subplots(1, 2)
        metric = comparison.common_metric
        for method, look in finished:
            curves = [record.curve for record in method.records.values()]
            _draw_seeds(test, [{point.epoch: _test(point, metric) for point in curve} for curve in curves], look)
            _draw_seeds(train, [{point.epoch: _train(point) for point in curve} for curve in curves], look)
        test.set_ylabel(f"test {_quantity(metric)}" if metric else "test loss")
        train.set_ylabel("training loss")
        for axes in (test, train):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            axes.margins(x=0.02)
        handles = [Line2D([], [], color=look.colour, linestyle=look.dashes, linewidth=1.4) for _, look in finished]
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=across,
            handlelength=2.6,
            title="Means over tasks. Thick: mean over seeds; thin: one seed.",
            title_fontsize=6.5,
        )
    return figure


def draw_points(comparison: Comparison) -> Figure:
    """A panel per task and one for their mean: each method's seeds as dots, their mean and its 95 % t-interval below.

    An interval that is much wider than the spread of the dots, as with two seeds, is cut off and ends in an arrow.
    """
    names = [wrap(method.title, 24) for method in comparison.methods]
    columns = columns_of(comparison)
    across = min(_ACROSS, len(columns), max(1, int((WIDTH - _LETTER * _longest(names)) / 1.2)))
    down = math.ceil(len(columns) / across)
    tall = 0.75 + sum(max(0.22, _LINE * (name.count("\n") + 1.4)) for name in names)
    with paper_style():
        figure = new_figure(0.6 + down * tall)
        figure.suptitle(_title(comparison))
        panels = figure.subplots(down, across, squeeze=False, sharey=True)
        for axes in panels.flat[len(columns) :]:
            axes.set_visible(False)
        for column, axes in zip(columns, panels.flat, strict=False):
            # The mean over tasks is no task: its panel is tinted.
            axes.set_facecolor("#F6F6F6" if column.is_mean else "white")
            arrow = (
                "" if comparison.common_metric else f", {'higher' if column.higher_is_better else 'lower'} is better"
            )
            axes.set_title(wrap("mean over tasks" if column.is_mean else column.name, int(1.1 * 24 * 4 / across / 1.6)))
            axes.set_xlabel(f"test {_quantity(column)}{arrow}")
            values = scores(comparison, column)
            _limit(axes, values)
            for place, (row, (_, look)) in enumerate(zip(values, _drawn(comparison), strict=True)):
                _draw_dots(axes, place, row, look)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
            axes.grid(visible=False, axis="y")
        panels[0, 0].set_yticks(range(len(names)), names)
        panels[0, 0].set_ylim(len(names) - 0.5, -0.5)
        figure.supxlabel(
            "Dots: a seed each. Below two and more: their mean and its 95 % t-interval (an arrow where it is cut off).",
            fontsize=6.5,
            color="#555555",
        )
    return figure


def _drawn(comparison: Comparison) -> list[tuple[MethodRuns, Look]]:
    return list(zip(comparison.methods, looks(len(comparison.methods)), strict=True))


def _title(comparison: Comparison) -> str:
    title = wrap(f"{comparison.dataset}, protocol {comparison.title}", 90)
    return f"{title}\n{QUICK}" if comparison.quick else title


def _quantity(measured: TaskInfo | Column) -> str:
    return f"{measured.metric} ({measured.unit})" if measured.unit else measured.metric


def _longest(names: Iterable[str]) -> int:
    return max(len(line) for name in names for line in name.split("\n"))


def _lines_of_legend(names: Sequence[str], across: int) -> int:
    """A legend fills its columns one after the other; each of its rows is as high as its highest name."""
    rows = math.ceil(len(names) / across)
    return sum(max(name.count("\n") + 1 for name in names[row::rows]) for row in range(rows))


def _test(point: CurvePoint, metric: TaskInfo | None) -> float:
    results = point.results["test"].values()
    return _mean(result.metrics[metric.metric] if metric else result.loss for result in results)


def _train(point: CurvePoint) -> float:
    return _mean(point.train_losses.values())


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else math.nan


def _draw_seeds(axes: Axes, curves: Sequence[dict[int, float]], look: Look) -> None:
    """A thin line per seed and a thick one for their mean at the epochs that all of them have."""
    for curve in curves if len(curves) > 1 else ():
        axes.plot(
            list(curve), list(curve.values()), color=look.colour, linestyle=look.dashes, linewidth=0.6, alpha=0.45
        )
    common = [epoch for epoch in curves[0] if all(epoch in curve for curve in curves)]
    means = [_mean(curve[epoch] for curve in curves) for epoch in common]
    marker = look.marker if len(common) == 1 else ""
    axes.plot(
        common, means, color=look.colour, linestyle=look.dashes, linewidth=1.4, marker=marker, markersize=4, zorder=3
    )


def _limit(axes: Axes, values: NDArray[np.float64]) -> None:
    """Limits that show every dot, and intervals up to one and a half times the spread of the dots beyond them."""
    if np.isnan(values).all():
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    spread = (high - low) or 0.01 * abs(high) or 1.0
    ends = [end for row in values for end in summarize(row).interval or ()]
    left = max(min([low, *ends]), low - 1.5 * spread)
    right = min(max([high, *ends]), high + 1.5 * spread)
    room = 0.08 * (right - left) or spread
    axes.set_xlim(left - room, right + room)


def _draw_dots(axes: Axes, place: int, values: NDArray[np.float64], look: Look) -> None:
    seeds = values[~np.isnan(values)]
    summary = summarize(seeds)
    height = place - 0.17 if summary.interval else place
    axes.plot(seeds, np.full(len(seeds), height), look.marker, color=look.colour, markersize=3.6, alpha=0.6, mew=0)
    if summary.interval:
        _draw_interval(axes, place + 0.17, summary, look)


def _draw_interval(axes: Axes, height: float, summary: Summary, look: Look) -> None:
    assert summary.interval is not None
    left, right = axes.get_xlim()
    low, high = summary.interval
    axes.plot([max(low, left), min(high, right)], [height, height], color=look.colour, linewidth=1.2)
    axes.plot(summary.mean, height, "|", color=look.colour, markersize=7, mew=1.6)
    for end, marker in ((left, "<"), (right, ">")):
        if not low <= end <= high:
            continue
        axes.plot(end, height, marker, color=look.colour, markersize=3.5, mew=0, clip_on=False)
