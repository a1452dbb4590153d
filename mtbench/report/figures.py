"""The figures of a comparison: learning curves, and every seed of every task as a dot."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbench.report.caption import QUICK
from mtbench.report.comparison import Comparison
from mtbench.report.frame import curve_frame, held_out_split
from mtbench.report.style import WIDTH, Look, looks, new_figure, paper_style
from mtbench.report.table import Column, columns_of, scores
from mtbench.report.text import wrap
from mtbench.stats.paired import summarize
from mtbench.store.record import TaskInfo

__all__ = ["draw_curves", "draw_points"]

_ACROSS = 4
"""Panels side by side in the point plot, at most."""
_LETTER = 0.055
"""Inches per character of small type."""
_LINE = 0.13
"""Inches per line of small type."""
_MANY = 16
"""Methods that can be told apart by the looks of their curves, and that points have room between, at most."""
_ENDS = 4
"""How many of the best curves, and of the worst, have looks of their own where there are more methods than that."""
_EXPLAINED = "Means over tasks. Thick: mean over seeds; thin: one seed."
_ENDS_EXPLAINED = f"Coloured: the {_ENDS} best and the {_ENDS} worst at the end. Grey: the others, mean over seeds."
_GREY = "#C4C4C4"
_BELOW = 0.38
"""How far below its dots an interval stands, where methods are one apart."""


def draw_curves(comparison: Comparison) -> Figure:
    """Two panels over epochs: the held-out metric (or loss, where tasks have unlike metrics) and the training loss.

    A thin line is a seed, a thick one the mean over seeds; both are means over tasks. Of many methods the best and the
    worst at the end are drawn like that, and the others as their means in grey.
    """
    frame = curve_frame(comparison)
    entries = _entries(comparison, frame)
    look = {method: look for method, (_, look) in entries.items()}
    names = [wrap(name, 46) for name, _ in entries.values()]
    coloured = frame["method"].isin(look)
    grey = frame[~coloured].groupby(["method", "epoch"], as_index=False).mean()
    many = not grey.empty
    across = min(len(names), 2 if many else 4, max(1, int(WIDTH / (_LETTER * (_longest(names) + 8)))))
    marked = frame["epoch"].nunique() == 1  # a line of one point is seen by its marker only
    of_methods = {
        "hue": "method",
        "palette": {method: its.colour for method, its in look.items()},
        "style": "method",
        "dashes": {method: its.dashes for method, its in look.items()},
        "markers": {method: its.marker for method, its in look.items()} if marked else False,
        "legend": False,
    }
    split = {"val": "validation", "test": "test"}[held_out_split(comparison)]
    measured = _quantity(comparison.common_metric) if comparison.common_metric else "loss"
    with paper_style():
        figure = new_figure(3.0 + _LINE * (_lines_of_legend(names, across) + many))
        figure.suptitle(_title(comparison))
        left, right = figure.subplots(1, 2)
        for axes, y, label in ((left, "held_out", f"{split} {measured}"), (right, "training_loss", "training loss")):
            for _, curve in grey.groupby("method"):
                axes.plot(curve["epoch"], curve[y], color=_GREY, linewidth=0.6, marker="." if marked else "", zorder=1)
            drawn = {"data": frame[coloured], "x": "epoch", "y": y, "ax": axes, **of_methods}
            sns.lineplot(**drawn, units="seed", estimator=None, linewidth=0.6, alpha=0.45, markersize=3)
            sns.lineplot(**drawn, estimator="mean", errorbar=None, linewidth=1.4, zorder=3, markersize=4)
            axes.set(xlabel="epoch", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=6))
            axes.margins(x=0.02)
        legend = figure.legend(
            [
                Line2D([], [], color=its.colour, dashes=its.dashes, marker=its.marker if marked else "", markersize=4)
                for its in look.values()
            ],
            names,
            loc="outside lower center",
            ncols=across,
            handlelength=2.6,
            title=_EXPLAINED + f"\n{_ENDS_EXPLAINED}" * many,
            title_fontsize=6.5,
        )
        legend.get_title().set_multialignment("center")
    return figure


def draw_points(comparison: Comparison) -> Figure:
    """A panel per task and one for their mean: each method's seeds as dots, their mean and its 95 % t-interval below.

    An interval that is much wider than the spread of the dots, as with two seeds, is cut off and ends in an arrow.
    """
    methods = [method.title for method in comparison.methods]
    names = [wrap(method, 24) for method in methods]
    columns = columns_of(comparison)
    across = min(_ACROSS, len(columns), max(1, int((WIDTH - _LETTER * _longest(names)) / 1.2)))
    down = math.ceil(len(columns) / across)
    spare = 0.11 if len(names) <= _MANY else 0.05
    tall = 0.75 + len(names) * (spare + _LINE * max(name.count("\n") + 1 for name in names))
    with paper_style():
        figure = new_figure(0.6 + down * tall)
        figure.suptitle(_title(comparison))
        panels = figure.subplots(down, across, squeeze=False, sharey=True)
        for axes in panels.flat[len(columns) :]:
            axes.set_visible(False)
        for column, axes in zip(columns, panels.flat, strict=False):
            _draw_seeds(axes, pd.DataFrame(scores(comparison, column).T, columns=methods))
            axes.grid(axis="y", linewidth=0.3)
            # The mean over tasks is no task: its panel is tinted.
            axes.set_facecolor("#F6F6F6" if column.is_mean else "white")
            better = f", {'higher' if column.higher_is_better else 'lower'} is better"
            axes.set(xlabel=f"test {_quantity(column)}{'' if comparison.common_metric else better}", ylabel="")
            axes.set_title(wrap("mean over tasks" if column.is_mean else column.name, 66 // across))
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        panels[0, 0].set_yticks(range(len(names)), names)
        panels[0, 0].set_ylim(len(names) - 0.38, -0.38)
        figure.supxlabel(
            "Dots: a seed each. Below two and more: their mean and its 95 % t-interval (an arrow where it is cut off).",
            fontsize=6.5,
            color="#555555",
        )
    return figure


def _title(comparison: Comparison) -> str:
    title = wrap(f"{comparison.dataset}, protocol {comparison.title}", 90)
    return f"{title}\n{QUICK}" if comparison.quick else title


def _quantity(measured: TaskInfo | Column) -> str:
    return f"{measured.metric} ({measured.unit})" if measured.unit else measured.metric


def _entries(comparison: Comparison, frame: pd.DataFrame) -> dict[str, tuple[str, Look]]:
    """What the curves of methods are called and how they look: of all methods, or the best and the worst of many."""
    methods, common = comparison.methods, comparison.common_metric
    if sum(bool(method.records) for method in methods) <= _MANY:
        every = zip(methods, looks(len(methods)), strict=True)
        return {method.title: (method.title, look) for method, look in every if method.records}
    last = frame[frame["epoch"] == frame["epoch"].max()].groupby("method")["held_out"].mean()
    ranked = last.sort_values(ascending=not (common and common.higher_is_better), kind="stable").index
    ends = [(place, str(method)) for place, method in enumerate(ranked, start=1)]
    ends = ends[:_ENDS] + ends[-_ENDS:]
    unlike = looks(72)[::9]  # from one to the next both the colour and the dashes change
    return {method: (f"{place}. {method}", look) for (place, method), look in zip(ends, unlike, strict=False)}


def _longest(names: Iterable[str]) -> int:
    return max(len(line) for name in names for line in name.split("\n"))


def _lines_of_legend(names: Sequence[str], across: int) -> int:
    """A legend fills its columns one after the other; each of its rows is as high as its highest name."""
    rows = math.ceil(len(names) / across)
    return sum(max(name.count("\n") + 1 for name in names[row::rows]) for row in range(rows))


def _draw_seeds(axes: Axes, values: pd.DataFrame) -> None:
    """The scores of seeds (rows) by method (columns) as dots, and below them their means and intervals.

    The axis shows every dot, and intervals up to one and a half times the spread of the dots beyond them.
    """
    methods, colours = list(values.columns), [look.colour for look in looks(len(values.columns))]
    dots = values.melt(var_name="method", value_name="score").dropna()
    of_methods = {"order": methods, "hue": "method", "hue_order": methods, "palette": colours, "legend": False}
    sns.stripplot(dots, x="score", y="method", **of_methods, jitter=False, size=3.6, alpha=0.6, ax=axes)
    intervals = []
    for place, (method, colour) in enumerate(zip(methods, colours, strict=True)):
        summary, height = summarize(values[method]), place + _BELOW
        if summary.interval:
            low, high = summary.interval
            half = (high - low) / 2
            axes.errorbar(summary.mean, height, xerr=half, fmt="|", color=colour, markersize=7, mew=1.6, lw=1.2)
            intervals.append((low, high, height, colour))
    least, most = dots["score"].min(), dots["score"].max()
    beyond = 1.5 * ((most - least) or 0.01 * abs(most) or 1.0)
    axes.margins(x=0.08)
    left, right = axes.get_xlim()
    left, right = axes.set_xlim(max(left, least - beyond), min(right, most + beyond))
    for low, high, height, colour in intervals:
        for end, marker, cut in ((left, "<", low < left), (right, ">", high > right)):
            if cut:
                axes.plot(end, height, marker, color=colour, markersize=3.5, mew=0, clip_on=False)
