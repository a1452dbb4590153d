"""The figure of errors over training losses: a panel per task, a line per method, in the course of training."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN
from mtbench.report.data.frame import held_out_split
from mtbench.report.data.generalization.equal_loss import is_share, trajectory
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.gap.data import Compared, Gaps
from mtbench.report.figure.legend import legend_of
from mtbench.report.figure.lines import label_log
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.page.suite import called, heading, known_by_name
from mtbench.report.text import listed, wrap

__all__ = ["draw_gaps", "paths"]

_ACROSS = 3
"""Panels side by side, at most."""
_HEIGHT = 2.5
"""Inches of a row of panels."""
_EXPLAINED = (
    "Training goes from left to right. Lines: means over seeds at each point of the curve, of losses geometric ones; "
    "faint: a seed each. Dots: the end of training. Dotted: the loss at which the table compares, mean over seeds."
)


def draw_gaps(runs: SuiteRuns, found: Gaps, known: Mapping[str, Look] = MappingProxyType({})) -> Figure:
    """Return the error over the training loss, for each task, or for the mean over many."""
    titles = called(runs.suite, [found.sheet])
    drawn = [name for name in titles if name not in found.unlike and paths(found.sheet, name, found.parts[0].column)]
    look = looks_of(titles, known_by_name(titles, known))
    left = f" Not drawn: {listed(titles[name] for name in found.unlike)}, see the table." if found.unlike else ""
    legend = legend_of([titles[name] for name in drawn], wrap(_EXPLAINED + left, 120), at_most=6)
    parts = [part for part in found.shown if part.column != MEAN] or list(found.shown)
    down = math.ceil(len(parts) / _ACROSS)
    with paper_style():
        figure = new_figure(0.45 + _HEIGHT * down + legend.height)
        figure.suptitle(heading(runs, f": {found.sheet.comparison.dataset}, protocol {found.sheet.comparison.title}"))
        grid = figure.subplots(down, min(_ACROSS, len(parts)), squeeze=False)
        for axes in grid.flat[len(parts) :]:
            axes.set_visible(False)
        for part, axes in zip(parts, grid.flat, strict=False):
            _draw(axes, found.sheet, part, [(name, look[name]) for name in drawn])
        handles = [Line2D([], [], color=look[name].color, dashes=look[name].dashes, linewidth=1.4) for name in drawn]
        legend.draw(figure, handles)
    return figure


def paths(sheet: Sheet, name: str, column: str) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the training losses and the errors (P,) along the curve of each run of a method, on the points that all
    of its runs have; of the mean over tasks the means."""
    split, tasks = held_out_split(sheet.comparison), sheet.comparison.tasks
    chosen = [task for task in tasks if column in (task.name, MEAN)]
    records = method.records.values() if (method := sheet.runs(name)) else ()
    found = [[trajectory(record, task, split) for task in chosen] for record in records]
    common = sorted(set.intersection(*(set(run[0].epochs.tolist()) for run in found))) if found else []
    return [
        (np.mean([each.losses[at] for each in run], axis=0), np.mean([each.errors[at] for each in run], axis=0))
        for run in found
        for at in [np.isin(run[0].epochs, common)]
        if common
    ]


def _draw(axes: Axes, sheet: Sheet, part: Compared, methods: Sequence[tuple[str, Look]]) -> None:
    losses, errors = list[float](), list[float]()
    for name, look in methods:
        runs = paths(sheet, name, part.column)
        for loss, error in runs if len(runs) > 1 else []:
            axes.plot(loss, error, color=look.color, linewidth=0.5, alpha=0.3, zorder=2)
        with np.errstate(divide="ignore"):  # a training loss of 0 has no place on a logarithmic axis
            middle = np.exp(np.mean([np.log(loss) for loss, _ in runs], axis=0))
        mean = np.mean([error for _, error in runs], axis=0)
        axes.plot(middle, mean, color=look.color, dashes=look.dashes, linewidth=1.4, zorder=3)
        axes.plot(middle[-1:], mean[-1:], "o", color=look.color, markersize=3.5, mew=0, zorder=4)
        losses += [value for loss, _ in runs for value in loss if np.isfinite(value)]
        errors += [value for _, error in runs for value in error if np.isfinite(value)]
    known = part.levels[part.levels > 0]
    if len(known) and part.column != MEAN:
        axes.axvline(float(np.exp(np.log(known).mean())), color="#888888", linewidth=0.7, linestyle=":", zorder=1)
    label_log(axes, "x", losses)
    axes.invert_xaxis()
    if errors and 0 < 4 * min(errors) < max(errors):
        label_log(axes, "y", errors)
    where = "test" if held_out_split(sheet.comparison) == "test" else "validation"
    unit = f" ({part.task.unit})" if part.task.unit else ""
    error_name = "error (%)" if is_share(part.task) else f"{part.task.metric}{unit}"
    axes.set(title=part.column, xlabel="training loss", ylabel=f"{where} {error_name}")
