from collections.abc import Mapping

from matplotlib.figure import Figure

from mtbench.report.assemble import make_report
from mtbench.report.data.choices import Choices
from mtbench.report.data.paper import PaperStyle
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, many_runs


def figures_of(*runs: RunStatus) -> Mapping[str, Figure]:
    report = make_report(runs, choices=Choices(paper=PaperStyle()))
    found: dict[str, Figure] = {}
    for piece in report.shown:
        for stem, draw in piece.figures.items():
            figure = draw()
            assert isinstance(figure, Figure)
            found[stem.rpartition("-")[2]] = figure
    return found


def test_figures_are_as_wide_as_a_column_and_have_no_title_and_the_names_of_the_table() -> None:
    figures = figures_of(*(finished(name, seed) for name in ("td", "single") for seed in range(3)))
    assert set(figures) == {"curves", "points"}
    for figure in figures.values():
        assert figure.get_size_inches()[0] == 3.25
        assert figure.get_suptitle() == ""
    assert [label.get_text() for label in figures["points"].axes[0].get_yticklabels()] == ["Single-task", "Top-down"]


def test_a_figure_of_a_preview_says_so() -> None:
    figures = figures_of(finished("td", protocol=QUICK))
    assert {figure.get_suptitle() for figure in figures.values()} == {"Preview, not a result."}


def test_a_figure_that_were_higher_than_a_page_shows_what_is_of_all_tasks() -> None:
    points = figures_of(*many_runs(seeds=1))["points"]
    assert [axes.get_title() for axes in points.axes if axes.get_visible()] == ["mean over tasks"]
    assert points.get_size_inches()[1] < 11
