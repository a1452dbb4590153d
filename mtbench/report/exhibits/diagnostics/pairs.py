"""Update compliance ratios of each two tasks, over the training loss of the two."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.diagnostics.compliance import SAME_IMAGES, fit_losses
from mtbench.report.figure.legend import legend_of
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.page.sentences import title_of

__all__ = ["PAIRS", "draw_pairs", "pair_curves"]

PAIRS = 45
"""Pairs of tasks up to which each is shown: those of ten tasks."""
_METHODS = 8
"""Methods on a page, as on one of `mtbench.report.exhibits.diagnostics.compliance.draw_compliance`."""
_ACROSS, _DOWN = 3, 4
_EXPLAINED = (
    "Update compliance ratio (UCR) of two tasks over the mean of their training losses, which falls from left to right."
    "\nWhole: their gradients on the same mini-batches. Dotted: the null, each task on the two halves of a batch, mean "
    "of the two.\nMeans over seeds. Compare methods at equal loss."
)


def draw_pairs(
    comparison: Comparison, frame: pd.DataFrame, known: Mapping[str, Look] = MappingProxyType({})
) -> Iterator[Figure]:
    """Yield pages with a panel for each pair of tasks; none of fewer than two pairs or of more than `PAIRS`.

    Args:
        frame: the frame from `mtbench.report.exhibits.diagnostics.data.conflict_frame`, not empty.
        known: looks that methods have in other figures, by title.
    """
    methods = list(dict.fromkeys(frame["method"]))
    curves = pair_curves(frame)
    pairs = list(dict.fromkeys(zip(curves["task"], curves["other"], strict=True)))
    if not 1 < len(pairs) <= PAIRS:
        return
    for start in range(0, len(methods), _METHODS):
        shown = methods[start : start + _METHODS]
        for first in range(0, len(pairs), _ACROSS * _DOWN):
            yield _page(comparison, curves, shown, pairs[first : first + _ACROSS * _DOWN], known)


def pair_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a conflict frame that are of two tasks, each with the means of the two tasks' nulls.

    The columns ``null`` and ``same_images_null`` are added.
    """
    alone = frame["task"] == frame["other"]
    keys = ["method", "seed", "epoch", "task"]
    nulls = frame[alone].set_index(keys)[["ucr", "same_images_ucr"]]
    pairs = frame[~alone].reset_index(drop=True)
    sides = [
        nulls.reindex(pd.MultiIndex.from_frame(pairs[[*keys[:-1], side]])).to_numpy() for side in ("task", "other")
    ]
    return pairs.assign(**dict(zip(("null", "same_images_null"), ((sides[0] + sides[1]) / 2).T, strict=True)))


def _page(
    comparison: Comparison,
    curves: pd.DataFrame,
    methods: list[str],
    pairs: list[tuple[str, str]],
    known: Mapping[str, Look],
) -> Figure:
    look_of = looks_of(methods, known)
    same = curves["same_images_ucr"].notna().any()
    legend = legend_of(methods, f"{_EXPLAINED}\n{SAME_IMAGES}" if same else _EXPLAINED)
    down = math.ceil(len(pairs) / _ACROSS)
    with paper_style():
        figure = new_figure(0.8 + 1.6 * down + legend.height)
        figure.suptitle(title_of(comparison))
        panels = figure.subplots(down, _ACROSS, sharey=True, squeeze=False)
        for axes, pair in zip(panels.flat, pairs, strict=False):
            here = curves[(curves["task"] == pair[0]) & (curves["other"] == pair[1])]
            axes.set_title(" & ".join(pair), fontsize=7)
            axes.axhline(50, color="#999999", linewidth=0.6, zorder=0)
            for method, look in look_of.items():
                _draw(axes, here[here["method"] == method], look)
            fit_losses(axes, here.groupby(["method", "epoch"])["pair_loss"].mean())
        for axes in list(panels.flat)[len(pairs) :]:
            axes.set_visible(False)
        figure.supylabel("mini-batches that comply (UCR, %)", fontsize=8)
        legend.draw(
            figure, [Line2D([], [], color=look.color, marker=look.marker, markersize=3) for look in look_of.values()]
        )
    return figure


def _draw(axes: Axes, frame: pd.DataFrame, look: Look) -> None:
    """One method's curves of one pair, means over runs."""
    columns = {"ucr": ("-", 1.4), "null": (":", 1.0), "same_images_ucr": ("--", 1.0)}
    curve = frame.groupby("epoch")[["pair_loss", *columns]].mean()
    for column, (style, width) in columns.items():
        if curve[column].notna().any():
            axes.plot(
                curve["pair_loss"],
                curve[column],
                style,
                color=look.color,
                linewidth=width,
                marker=look.marker,
                markersize=2,
            )
