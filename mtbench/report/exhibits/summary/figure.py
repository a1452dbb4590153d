"""The figures of a comparison: learning curves, and every seed of every task as a dot."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mtbench.report.data.choices import DEFAULT, Convention
from mtbench.report.data.columns import MANY as TASKS
from mtbench.report.data.columns import Column, columns_of, is_wide, scores
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.constant import constants_of
from mtbench.report.data.frame import curve_frame, held_out_split
from mtbench.report.data.gains.relative import deltas
from mtbench.report.figure.intervals import EXPLAINED as INTERVALS
from mtbench.report.figure.intervals import interval_of
from mtbench.report.figure.legend import ENDS_EXPLAINED, GREY, LETTER, LINE, MANY, legend_of, longest, told_apart
from mtbench.report.figure.style import WIDTH, Look, looks_of, new_figure, paper_style
from mtbench.report.page.sentences import title_of
from mtbench.report.text import wrap
from mtbench.stats.summary import summarize
from mtbench.store.record import TaskInfo

__all__ = ["draw_curves", "draw_points"]

_ACROSS = 4
"""Panels side by side in the point plot, at most."""
_HIGHEST = 8.0
"""Inches of the panels of a point plot of one column's width, at most."""
_EXPLAINED = "{means} over tasks. Thick: mean over seeds; thin: one seed."
_BELOW = 0.38
"""The distance of an interval below its dots, where methods are one apart."""


def draw_curves(
    comparison: Comparison,
    known: Mapping[str, Look] = MappingProxyType({}),
    width: float = WIDTH,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Return panels over epochs: the held-out metric and the training loss.

    A thin line is a seed, a thick one the mean over seeds; both are means over tasks. Tasks of unlike metrics have a
    panel each, or of very many tasks the loss has one. Of many methods the best and the worst at the end are drawn like
    that, and the others as their means in grey.

    Args:
        comparison: the runs.
        known: looks that methods have in other figures, by title.
        width: inches; panels stand below one another if it is one column's.
        names: names of methods by title, where not those of tables.
    """
    frame = curve_frame(comparison)
    entries = _entries(comparison, frame, known, names)
    look = {method: look for method, (_, look) in entries.items()}
    many = not set(frame["method"]) <= look.keys()
    panels = list(_curve_panels(comparison, frame))
    across = 1 if width < WIDTH else 2 if len(panels) in (2, 4) else 3
    down = math.ceil(len(panels) / across)
    means = "Training loss: mean" if len(panels) > 2 else "Means"
    explained = _EXPLAINED.format(means=means) + f"\n{ENDS_EXPLAINED.format(by='at the end')}" * many
    explained = wrap(explained, 62) if width < WIDTH else explained
    legend = legend_of([name for name, _ in entries.values()], explained, at_most=2 if many else 6, width=width)
    # A line of one point is seen by its marker only, and lines of one color are told apart by theirs.
    single, alike = frame["epoch"].nunique() == 1, len({its.color for its in look.values()}) < len(look)
    with paper_style():
        figure = new_figure(0.57 + (1.7 if width < WIDTH else 2.3) * down + legend.height, width)
        figure.suptitle(title_of(comparison))
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for (title, label, curves, y), axes in zip(panels, grid.flat, strict=False):
            _draw_curves(axes, curves.dropna(subset=[y]), y, look, single=single, marked=single or alike)
            axes.set(xlabel="epoch", ylabel=wrap(label, 26 if width < WIDTH else 36), title=wrap(title, 40))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=6))
            axes.margins(x=0.02)
        legend.draw(
            figure,
            [
                Line2D([], [], color=its.color, dashes=its.dashes, marker=mark, markersize=4)
                for its in look.values()
                for mark in [its.marker if single or alike else ""]
            ],
        )
    return figure


def draw_points(
    comparison: Comparison,
    delta: Convention = DEFAULT.delta,
    known: Mapping[str, Look] = MappingProxyType({}),
    width: float = WIDTH,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Return a panel per task and one for their mean, or that alone where tasks are many: each method's seeds as dots,
    their mean and its 95 % confidence interval below.

    Tasks of unlike metrics have no mean: where single-task networks were run, Δm has that panel. Intervals are drawn
    from three seeds on. The constant prediction is a dotted line where the axis reaches it.

    Args:
        comparison: the runs.
        delta: the convention of Δm.
        known: looks that methods have in other figures, by title.
        width: inches; in one column's, panels of tasks are left out if the figure were higher than a page.
        names: names of methods by title, where not those of tables.
    """
    methods = [method.title for method in comparison.methods]
    letters = 30 if width < WIDTH else 24  # a line for most names, or many methods would be higher than a page
    shown = [wrap(names.get(method, comparison.labels[method]), letters) for method in methods]
    columns = columns_of(comparison)
    if is_wide(columns):
        columns = tuple(column for column in columns if column.is_mean) or columns
    constants = constants_of(comparison, columns)
    panels = [
        *_score_panels(comparison, columns, constants.values if constants else [math.nan] * len(columns)),
        *_delta_panels(comparison, delta),
    ]
    note = f"Dots: a seed each. Below them: means with {INTERVALS}."
    note = wrap(note, 62) if width < WIDTH else note
    if constants:
        note += f"\nDotted: the {constants.name}, where the axis reaches it."
    spare = 0.11 if len(shown) <= MANY else 0.05
    tall = 0.75 + len(shown) * (spare + LINE * max(name.count("\n") + 1 for name in shown))
    across = min(_ACROSS, len(panels), max(1, int((width - LETTER * longest(shown)) / 1.2)))
    if width < WIDTH and tall * math.ceil(len(panels) / across) > _HIGHEST:
        panels = [panel for panel in panels if panel.of_all] or panels[:1]
        across, tall = min(across, len(panels)), min(tall, _HIGHEST)
    down = math.ceil(len(panels) / across)
    across = math.ceil(len(panels) / down)
    with paper_style():
        figure = new_figure(0.6 + down * tall, width)
        figure.suptitle(title_of(comparison))
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for panel, axes in zip(panels, grid.flat, strict=False):
            _draw_seeds(axes, pd.DataFrame(panel.scores.T, columns=methods), panel.unit, looks_of(methods, known))
            if not math.isnan(panel.constant):
                axes.axvline(panel.constant, color="#555555", linestyle=":", linewidth=1, zorder=0)
            axes.grid(axis="y", linewidth=0.3)
            # What is of all tasks is no task: its panel is tinted.
            axes.set_facecolor("#F6F6F6" if panel.of_all else "white")
            axes.set(xlabel=wrap(panel.label, int(108 * width / WIDTH) // across), ylabel="")
            axes.set_title(wrap(panel.title, int(66 * width / WIDTH) // across))
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        grid[0, 0].set_yticks(range(len(shown)), shown)
        grid[0, 0].set_ylim(len(shown) - 0.38, -0.38)
        figure.supxlabel(note, fontsize=6.5, color="#555555")
    return figure


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """A panel of the point plot.

    Attributes:
        title: the task.
        label: the label of its axis.
        scores: (M, S) of methods and seeds.
        constant: the value of the constant prediction; NaN without one.
        of_all: True for what is of all tasks.
        unit: unit of the scores; empty for gains.
    """

    title: str
    label: str
    scores: NDArray[np.float64]
    constant: float = math.nan
    of_all: bool = False
    unit: str = ""


def _score_panels(comparison: Comparison, columns: Sequence[Column], constants: Sequence[float]) -> Iterator[_Panel]:
    for column, constant in zip(columns, constants, strict=True):
        better = f", {'higher' if column.higher_is_better else 'lower'} is better"
        usual = comparison.common_metric and column.higher_is_better
        yield _Panel(
            title="mean over tasks" if column.is_mean else column.name,
            label=f"test {_quantity(column)}{'' if usual else better}",
            scores=scores(comparison, column),
            constant=constant,
            of_all=column.is_mean,
            unit=column.unit,
        )


def _delta_panels(comparison: Comparison, delta: Convention) -> Iterator[_Panel]:
    """Yield the panel of Δm, where tasks of unlike metrics have no mean and a method has a gain."""
    if comparison.common_metric is None:
        gains = np.stack(deltas(comparison, delta))
        if not np.isnan(gains).all():
            better = "higher" if delta.sign == "gain" else "lower"
            yield _Panel(title="Δm", label=f"{delta.sign} (%), {better} is better", scores=gains, of_all=True)


def _quantity(measured: TaskInfo | Column) -> str:
    return f"{measured.metric} ({measured.unit})" if measured.unit else measured.metric


def _entries(
    comparison: Comparison, frame: pd.DataFrame, known: Mapping[str, Look], names: Mapping[str, str]
) -> dict[str, tuple[str, Look]]:
    """Return name and look of the curves of methods: of all methods, or of the best and the worst of many."""
    common = comparison.common_metric
    sign = 1 if common and common.higher_is_better else -1
    ends = frame.groupby("method")["epoch"].transform("max")  # methods with phases of their own have more epochs
    last = frame[frame["epoch"] == ends].groupby("method")["held_out"].mean()
    goodness = {str(method): sign * float(value) for method, value in last.items()}
    apart = told_apart([method.title for method in comparison.methods], goodness, known)
    called = {**comparison.labels, **names}
    return {method: (rank + called[method], look) for method, (rank, look) in apart.items()}


def _curve_panels(comparison: Comparison, frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame, str]]:
    """Yield of each panel its title, the label of its axis, and the frame and the column that it shows."""
    split, common = {"val": "validation", "test": "test"}[held_out_split(comparison)], comparison.common_metric
    if common or len(comparison.tasks) > TASKS:
        yield "", f"{split} {_directed(common) if common else 'loss'}", frame, "held_out"
    else:
        for task in comparison.tasks:
            yield task.name, f"{split} {_directed(task)}", curve_frame(comparison, task), "held_out"
    yield "", "training loss", frame, "training_loss"


def _directed(task: TaskInfo) -> str:
    return _quantity(task) + ("" if task.higher_is_better else ", lower is better")


def _draw_curves(
    axes: Axes, frame: pd.DataFrame, y: str, look: Mapping[str, Look], *, single: bool, marked: bool
) -> None:
    """Draw the mean of each method, with markers if `marked`, and its seeds thin; in grey the means of methods without
    a look. If curves have a `single` point they are markers alone."""
    others = frame[~frame["method"].isin(look)].groupby(["method", "epoch"], as_index=False)[y].mean()
    for _, curve in others.groupby("method"):
        axes.plot(curve["epoch"], curve[y], color=GREY, linewidth=0.6, marker="." if single else "", zorder=1)
    for method, its in look.items():
        _draw_method(axes, frame[frame["method"] == method], y, its, single=single, marked=marked)


def _draw_method(axes: Axes, known: pd.DataFrame, y: str, look: Look, *, single: bool, marked: bool) -> None:
    mean = known.groupby("epoch")[y].mean()
    if single:
        axes.plot(known["epoch"], known[y], look.marker, color=look.color, alpha=0.45, markersize=3)
    else:  # as one collection, which is drawn in a tenth of the time of as many lines
        seeds = [seed[["epoch", y]].to_numpy() for _, seed in known.groupby("seed")]
        dashes = (0, look.dashes) if look.dashes else "solid"
        axes.add_collection(LineCollection(seeds, colors=look.color, linewidths=0.6, linestyles=[dashes], alpha=0.45))
    axes.plot(
        mean.index,
        mean,
        color=look.color,
        dashes=look.dashes,
        marker=look.marker if marked else "",
        markevery=max(1, len(mean) // 5),
        linewidth=1.4,
        zorder=3,
        markersize=4,
    )


def _draw_seeds(axes: Axes, values: pd.DataFrame, unit: str, look: Mapping[str, Look]) -> None:
    """Draw the scores of seeds (rows) by method (columns) as dots, and below them their means and intervals."""
    for place, method in enumerate(values.columns):
        color = look[method].color
        dots = values[method].dropna()
        axes.scatter(dots, [place] * len(dots), s=3.6**2, color=color, alpha=0.6, linewidths=0, zorder=3)
        summary, height = summarize(dots), place + _BELOW
        if summary.n > 1:
            axes.plot(summary.mean, height, "|", color=color, markersize=7, mew=1.6)
        if interval := interval_of(summary, unit):
            low, high = interval
            arms = [[summary.mean - low], [high - summary.mean]]
            axes.errorbar(summary.mean, height, xerr=arms, fmt="none", color=color, lw=1.2)
    axes.margins(x=0.08)
    axes.set_xlim(axes.get_xlim())  # what is drawn later, as the constant prediction, does not move it
