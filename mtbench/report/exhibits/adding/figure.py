"""The figure of a task that is added: what methods learn of it, what that does to the others, and what was trained."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.adding.data import Added, Addition
from mtbench.report.figure.intervals import CUT as INTERVALS
from mtbench.report.figure.intervals import interval_of
from mtbench.report.figure.legend import LINE, legend_of
from mtbench.report.figure.lines import label_log
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.figure.whiskers import Whisker, draw_whiskers
from mtbench.report.page.suite import heading, known_by_name
from mtbench.report.text import wrap
from mtbench.stats.summary import summarize

__all__ = ["draw_adding"]

_EXPLAINED = f"Large: means over seeds, with {INTERVALS}. Small: a seed each."
_NOW: Literal["o"] = "o"
_BEFORE: Literal["|"] = "|"
_AT_ONCE: Literal["D"] = "D"


def draw_adding(runs: SuiteRuns, addition: Addition, known: Mapping[str, Look] = MappingProxyType({})) -> Figure:
    """Per method and way of adding: the new task's metric, the old tasks' mean before and after, their change within
    each run, and how many numbers were trained; where it is known, what runs reach that have all tasks at once."""
    methods = [each for each in addition.methods if each.finished]
    names = [wrap(f"{each.title}, {each.mode}", 24) for each in methods]
    titles = list(dict.fromkeys(each.method for each in methods))
    named = known_by_name({each.method: each.title for each in methods}, known)
    colors = {method: look.color for method, look in looks_of(titles, named).items()}
    row = 0.14 + LINE * max(name.count("\n") + 1 for name in names)
    marks: dict[str, tuple[Literal["o", "|", "D"], Literal["full", "none"]]] = {
        "after the new task was added": (_NOW, "full"),
        "before it": (_BEFORE, "full"),
    }
    if any(np.isfinite(each.at_once).any() for each in methods):
        marks["all tasks from the start"] = (_AT_ONCE, "none")
    legend = legend_of(marks, _EXPLAINED)
    unit = f" ({addition.task.unit})" if addition.task.unit else ""
    with paper_style():
        figure = new_figure(1.15 + row * len(methods) + legend.height)
        figure.suptitle(heading(runs, f": {addition.words}, task {addition.task.name} is added"))
        panels = figure.subplots(1, 4 if addition.alike else 2, sharey=True, squeeze=False)[0]
        of_new = [each.new for each in methods], [each.at_once for each in methods]
        _draw(panels[0], *of_new, _colors(methods, colors), unit=addition.task.unit)
        panels[0].set(title="new task", xlabel=f"test {addition.task.metric}{unit}")
        if addition.alike:
            _draw_old(panels[1], panels[2], methods, _colors(methods, colors))
            first = addition.old[0]
            unit = f" ({first.unit})" if first.unit else ""
            split = "validation" if addition.split == "val" else addition.split
            panels[1].set(title="old tasks, mean", xlabel=f"{split} {first.metric}{unit}")
            panels[2].set(title="old tasks, change", xlabel=f"after - before{unit}")
        counts = [each.phase.parameters if each.phase else np.nan for each in methods]
        for place, (count, color) in enumerate(zip(counts, _colors(methods, colors), strict=True)):
            panels[-1].plot(count, place, _NOW, color=color, markersize=5)
        panels[-1].margins(x=0.2)
        label_log(panels[-1], "x", counts)
        panels[-1].set(title="numbers trained", xlabel="after it was added")
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.4, -0.6)
        for place in range(1, len(methods)):
            if methods[place].mode != methods[place - 1].mode:
                for axes in panels:
                    axes.axhline(place - 0.5, color="#999999", linewidth=0.6)
        handles = [
            Line2D([], [], color="#444444", linestyle="", marker=marker, fillstyle=fill, markersize=5)
            for marker, fill in marks.values()
        ]
        legend.draw(figure, handles)
    return figure


def _colors(methods: Sequence[Added], colors: dict[str, str]) -> list[str]:
    return [colors[each.method] for each in methods]


def _draw(
    axes: Axes,
    values: Sequence[NDArray[np.float64]],
    others: Sequence[NDArray[np.float64]],
    colors: Sequence[str],
    also: Sequence[float] = (),
    unit: str = "",
) -> None:
    """A row each: means with intervals, seeds, and the mean of `others`, hollow; the axis shows `also` besides."""
    whiskers, shown = [], [*values, np.array(also)]
    for place, (row, other, color) in enumerate(zip(values, others, colors, strict=True)):
        summary, beside = summarize(row), summarize(other).mean
        axes.plot(row, [place] * len(row), "o", color=color, markersize=2.4, alpha=0.4, mew=0)
        axes.plot(summary.mean, place, _NOW, color=color, markersize=5)
        axes.plot(beside, place, _AT_ONCE, color=color, markersize=5.5, fillstyle="none", mew=0.9)
        shown.append(np.array([beside]))
        if interval := interval_of(summary, unit):
            whiskers.append(Whisker(at=place, low=interval[0], high=interval[1], color=color))
    draw_whiskers(axes, whiskers, shown, upright=False)


def _draw_old(means: Axes, changes: Axes, methods: Sequence[Added], colors: Sequence[str]) -> None:
    """The old tasks' means before and after, joined, and their changes with intervals."""
    for place, (each, color) in enumerate(zip(methods, colors, strict=True)):
        before, after, at_once = (summarize(values).mean for values in (each.before, each.after, each.old_at_once))
        means.plot([before, after], [place, place], color=color, linewidth=1.2)
        means.plot(before, place, _BEFORE, color=color, markersize=9, mew=1.4)
        means.plot(after, place, _NOW, color=color, markersize=5)
        means.plot(at_once, place, _AT_ONCE, color=color, markersize=5.5, fillstyle="none", mew=0.9)
    means.margins(x=0.1)
    changes.axvline(0, color="#555555", linewidth=0.7)
    nothing = [np.array([np.nan])] * len(methods)
    _draw(changes, [each.change for each in methods], nothing, colors, also=[0.0])
