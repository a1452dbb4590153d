"""The figure of conventions: Δm of each method under each switch."""

from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbench.report import marks
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.conventions.data import Switched
from mtbench.report.figure.legend import legend_of
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.page.suite import heading, known_by_name
from mtbench.report.text import listed, wrap

__all__ = ["draw_switches"]

_EXPLAINED = (
    "Points: means over seeds; thin lines join those of a method.\n"
    f"{marks.CHOSEN}: epochs are chosen on the test split."
)


def draw_switches(
    runs: SuiteRuns,
    found: Switched,
    titles: Mapping[str, str],
    known: Mapping[str, Look] = MappingProxyType({}),
) -> Figure:
    """Return points of the mean Δm, a column per switch and a look per method.

    A convention whose Δm is over each run's own first epoch is not drawn, since it would make all others flat.
    """
    switches = [switch for switch in found.switches if not switch.own_start]
    left = [f"{switch.group} {switch.name}" for switch in found.switches if switch.own_start]
    explained = _EXPLAINED + (f" Not drawn: {listed(left)}, over each run's own first epoch." if left else "")
    shown = [method for method in titles if any(method in switch.ranks for switch in switches)]
    drawn = looks_of(shown, known_by_name(titles, known))
    legend = legend_of([titles[method] for method in shown], explained, at_most=4)
    heads = [wrap(f"{switch.group} {switch.name}".strip() + marks.CHOSEN * switch.chosen, 12) for switch in switches]
    with paper_style():
        figure = new_figure(3.4 + legend.height)
        figure.suptitle(heading(runs, f": {found.dataset} by other conventions"))
        axes = figure.subplots()
        for method in shown:
            places = [place for place, switch in enumerate(switches) if method in switch.ranks]
            means = [switches[place].gains[method].mean for place in places]
            look = drawn[method]
            axes.plot(places, means, color=look.color, marker=look.marker, markersize=3.5, linewidth=0.5, alpha=0.9)
        axes.axhline(0, color="#888888", linewidth=0.6)
        for place in range(1, len(switches)):
            if switches[place].group != switches[place - 1].group:
                axes.axvline(place - 0.5, color="#BBBBBB", linewidth=0.6)
        axes.set_xticks(range(len(heads)), heads, rotation=90)
        axes.set_ylabel("Δm (gain, %)")
        legend.draw(
            figure,
            [
                Line2D([], [], color=drawn[method].color, marker=drawn[method].marker, markersize=3.5, linewidth=0.5)
                for method in shown
            ],
        )
    return figure
