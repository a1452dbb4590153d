"""The figure of methods with tuned settings: the best validation value by trial, and the test gain of tuning."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.tuned.data import Tuned, best_so_far
from mtbench.report.figure.legend import ENDS_EXPLAINED, GREY, LINE, MANY, Legend, legend_of, told_apart
from mtbench.report.figure.style import Look, new_figure, paper_style
from mtbench.report.page.sentences import title_of
from mtbench.report.text import wrap
from mtbench.store.record import TaskInfo

__all__ = ["draw_tuned"]

_DEFAULT, _TUNED, _LINK = "#7F7F7F", "#0072B2", "#9A9A9A"
_EXPLAINED = (
    "Means over tasks. Left: best so far, from the default on (trial 0). Right: a dot per seed, a bar for their mean."
)


def draw_tuned(
    comparison: Comparison, methods: Sequence[Tuned], known: Mapping[str, Look] = MappingProxyType({})
) -> Figure:
    """Left the best validation value against the trials, a line per method; right, on the test split, each method's
    default and tuned seeds, with an arrow from mean to mean."""
    task = methods[0].study.study.tasks[0]
    curves = {each.title: best_so_far(each.study) for each in methods}
    sign = 1 if task.higher_is_better else -1
    ends = {title: sign * values[-1] for title, values in curves.items() if values and np.isfinite(values[-1])}
    look = told_apart([each.title for each in methods], ends, known)
    many = len(look) < len(ends)
    lines = [_EXPLAINED, *([ENDS_EXPLAINED.format(by="at the end")] if many else [])]
    names = [f"{rank}{title}" for title, (rank, _) in look.items()]
    legend: Legend = legend_of([*names, "default", "tuned"], "\n".join(lines))
    labels = [wrap(each.label, 26) for each in methods]
    spare = 0.2 if len(labels) <= MANY else 0.06  # inches between names, so that a figure of very many fits on a page
    tall = sum(spare + LINE * (label.count("\n") + 1) for label in labels)
    with paper_style():
        figure = new_figure(max(2.6, 0.7 + tall) + legend.height)
        figure.suptitle(title_of(comparison, "tuned settings"))
        left, right = figure.subplots(1, 2)
        _draw_search(left, curves, {title: its for title, (_, its) in look.items()}, ends)
        left.set(xlabel="trial", ylabel=f"validation {_quantity(task)}")
        _draw_gains(right, methods, labels)
        right.set_xlabel(f"test {_quantity(task)}")
        legend.draw(
            figure,
            [
                *(Line2D([], [], color=its.color, dashes=its.dashes, linewidth=1.3) for _, its in look.values()),
                Line2D([], [], color=_DEFAULT, marker="o", markersize=3.6, mfc="white", linewidth=0),
                Line2D([], [], color=_TUNED, marker="o", markersize=3.6, mew=0, linewidth=0),
            ],
        )
    return figure


def _draw_search(
    axes: Axes, curves: dict[str, list[float]], looks: dict[str, Look], finished: dict[str, float]
) -> None:
    for title in finished:
        its = looks.get(title)
        values = curves[title]
        marker = "o" if len(values) == 1 else ""
        axes.plot(
            range(len(values)),
            values,
            drawstyle="steps-post",
            color=its.color if its else GREY,
            dashes=its.dashes if its else (),
            linewidth=1.3 if its else 0.6,
            marker=marker,
            markersize=4,
            zorder=3 if its else 1,
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _draw_gains(axes: Axes, methods: Sequence[Tuned], labels: Sequence[str]) -> None:
    for place, each in enumerate(methods):
        for values, above, color, face in (
            (each.default, -0.16, _DEFAULT, "white"),
            (each.tuned, 0.16, _TUNED, _TUNED),
        ):
            known = values[np.isfinite(values)]
            if len(known):
                at = place + above
                axes.plot(known, [at] * len(known), "o", color=color, mfc=face, markersize=3, mew=0.7, alpha=0.8)
                axes.plot(known.mean(), at, "|", color=color, markersize=8, mew=1.6)
        if np.isfinite(each.default).any() and np.isfinite(each.tuned).any():
            ends = [
                (float(np.nanmean(values)), place + above)
                for values, above in ((each.default, -0.16), (each.tuned, 0.16))
            ]
            arrow = {"arrowstyle": "->", "color": _LINK, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", ends[1], xytext=ends[0], arrowprops=arrow)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))


def _quantity(task: TaskInfo) -> str:
    unit = f" ({task.unit})" if task.unit else ""
    return f"{task.metric}{unit}{'' if task.higher_is_better else ', lower is better'}"
