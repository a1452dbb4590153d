"""Figures of measurements: the time of a step, its distance from the limit, and the gain of several runs at a time."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbench.bench.measure import Bench, Measured
from mtbench.bench.page import times
from mtbench.report.figure.legend import LINE, legend_of
from mtbench.report.figure.style import Look, looks, new_figure, paper_style
from mtbench.report.text import duration, fixed, wrap

__all__ = ["draw_bench"]

_ROW = 0.2
"""Height of a method's row in inches, without the lines of its name."""
_SHIFTS = (4, -8)
"""Distances in points of a number from its dot."""
_IDEAL = "Dotted: the throughput if no run slowed another down."


def draw_bench(bench: Bench) -> Figure | None:
    """Draw a row per method, with a dot for one run or, for throughput, a dot for each number of runs at a time.

    None if no method was measured.
    """
    methods = [each for each in bench.methods if each.steps]
    if not methods:
        return None
    ask, limit = bench.ask, bench.limit
    names = [wrap(each.method, 24) for each in methods]
    look = dict(zip(ask.jobs, looks(len(ask.jobs)), strict=True))
    one, more = {1: look[1]}, {jobs: its for jobs, its in look.items() if jobs > 1}
    legend = legend_of([f"{jobs} run{'s at a time' * (jobs > 1)}" for jobs in look], _IDEAL if more else "")
    with paper_style():
        figure = new_figure(0.95 + legend.height + len(names) * (_ROW + LINE * max(n.count("\n") for n in names)))
        figure.suptitle(wrap(f"Speed of training on {ask.dataset}, protocol {bench.protocol}, {ask.device}", 90))
        left, middle, *right = figure.subplots(1, 3 if more else 2, sharey=True)
        _dots(left, methods, one, lambda each, _: 1000 * each.seconds(1), duration)
        _dots(middle, methods, one, lambda each, _: 100 * each.flops * each.rate(1) / limit, lambda v: fixed(v, 1))
        for axes in right:
            for jobs, its in more.items():
                axes.axvline(jobs, color=its.color, linestyle=":", linewidth=1, zorder=0)
            _dots(axes, methods, more, lambda each, jobs: each.rate(jobs) / each.rate(1), times)
            axes.set(xlabel="throughput over that of one run")
        left.set(xlabel="ms per step")
        middle.set(xlabel="% of the arithmetic limit")
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.8)
        handles = [Line2D([], [], color=its.color, marker="o", linestyle="", markersize=4) for its in look.values()]
        legend.draw(figure, handles)
    return figure


def _dots(
    axes: Axes,
    methods: list[Measured],
    look: dict[int, Look],
    value: Callable[[Measured, int], float],
    said: Callable[[float], str],
) -> None:
    """Draw a dot for each method and number of runs at a time, on an axis from 0.

    The number stands above the first dot of a row and below the second; other dots have none.
    """
    for row, each in enumerate(methods):
        for place, (jobs, its) in enumerate(look.items()):
            if jobs not in each.steps:
                continue
            at = value(each, jobs)
            axes.plot(at, row, "o", color=its.color, markersize=4)
            if place < len(_SHIFTS):
                shift = (0, _SHIFTS[place])
                axes.annotate(said(at), (at, row), shift, textcoords="offset points", ha="center", fontsize=5.5)
    axes.set_xlim(0, 1.1 * axes.dataLim.x1)
    axes.grid(axis="y", linewidth=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
