"""Compliance of the gradients of tasks, as training goes on: curves over epochs and over the training loss."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from mtbench.report.data.comparison import Comparison
from mtbench.report.figure.legend import legend_of
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.page.sentences import title_of
from mtbench.report.text import listed, wrap

__all__ = ["SAME_IMAGES", "draw_compliance", "fit_losses", "left_out"]

_PAGE = 8
"""Methods on a page: as many as there are colors, since dots are for the null."""
_SPREAD = 20
"""The ratio of the highest loss to the lowest above which the axis is logarithmic."""
_EXPLAINED = (
    "Update compliance ratio (UCR): of how many mini-batches of an epoch the gradients of two tasks have a positive "
    "inner product,\nin the parameters that they share (a head for all tasks among them). Whole: mean over pairs of "
    "tasks. Dotted: the null,\nthe same task on the two halves of a batch. Both are means over seeds. Ratios fall as "
    "losses do: compare at equal training loss."
)
SAME_IMAGES = "Dashed: with triplets of all tasks that are made of the same images, the anchors of each mini-batch."


def draw_compliance(
    comparison: Comparison, frame: pd.DataFrame, known: Mapping[str, Look] = MappingProxyType({})
) -> Iterator[Figure]:
    """Yield two panels, over epochs and over the training loss, which falls from left to right.

    A whole line is a method's mean over pairs of tasks and seeds, a dotted one its null, and a dashed one that mean on
    the same images; each epoch's loss is the mean over seeds too. Methods go on over pages.

    Args:
        frame: the frame from `conflict_frame`, not empty.
        known: looks that methods have in other figures, by title.
    """
    methods = list(dict.fromkeys(frame["method"]))
    for start in range(0, len(methods), _PAGE):
        yield _page(comparison, frame, methods[start : start + _PAGE], known)


def left_out(comparison: Comparison, diagnostic: str, drawn: set[str], why: str) -> str:
    """Return a sentence on the methods whose finished runs were asked for a diagnostic and have none; else empty."""
    without = [
        method.title
        for method in comparison.methods
        if method.title not in drawn
        and any(diagnostic in record.spec.protocol.diagnostics for record in method.records.values())
    ]
    return wrap(f"Not here: {listed(without)}, {why}.", 120) if without else ""


def _page(comparison: Comparison, frame: pd.DataFrame, methods: list[str], known: Mapping[str, Look]) -> Figure:
    look_of = looks_of(methods, known)
    why = "whose tasks share no parameter that is trained"
    note = left_out(comparison, "conflict", set(frame["method"]), why)
    same = SAME_IMAGES if frame["same_images_ucr"].notna().any() else ""
    explained = "\n".join(line for line in (_EXPLAINED, same, note) if line)
    with paper_style():
        legend = legend_of(methods, explained)
        figure = new_figure(2.6 + legend.height)
        figure.suptitle(title_of(comparison))
        left, right = figure.subplots(1, 2, sharey=True)
        for method, look in look_of.items():
            _draw(left, right, frame[frame["method"] == method], look)
        left.set(xlabel="epoch", ylabel="mini-batches that comply (UCR, %)")
        left.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=6))
        right.set(xlabel="training loss of the epoch, mean over tasks")
        fit_losses(right, frame.groupby(["method", "epoch"])["training_loss"].mean())
        for axes in (left, right):
            axes.axhline(50, color="#999999", linewidth=0.6, zorder=0)
        handles = [Line2D([], [], color=look.color, marker=look.marker, markersize=3) for look in look_of.values()]
        legend.draw(figure, handles)
    return figure


def fit_losses(axes: Axes, losses: "pd.Series[float]") -> None:
    """Let losses fall from left to right, on a logarithmic axis where they are of unlike sizes."""
    if losses.min() > 0 and losses.max() > _SPREAD * losses.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.invert_xaxis()


def _draw(left: Axes, right: Axes, frame: pd.DataFrame, look: Look) -> None:
    """One method's curves and nulls: means over pairs within a run, then over runs."""
    null = frame["task"] == frame["other"]
    lines = [(~null, "ucr", "-", 1.4), (null, "ucr", ":", 1.0), (~null, "same_images_ucr", "--", 1.0)]
    for rows, column, style, width in lines:
        runs = frame[rows].groupby(["seed", "epoch"])[[column, "training_loss"]].mean()
        curve = runs.groupby("epoch").mean()
        if curve[column].isna().all():
            continue
        for axes, x in ((left, curve.index), (right, curve["training_loss"])):
            axes.plot(x, curve[column], style, color=look.color, linewidth=width, marker=look.marker, markersize=2)
