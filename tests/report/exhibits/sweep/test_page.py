from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.report.assemble import assemble
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.sweep.data import sweeps
from mtbench.report.exhibits.sweep.exhibit import Sweep
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import answering, finished, unfinished
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

RATES = Suite(
    name="rates",
    title="Two learning rates",
    grid=(Grid(datasets=("mmnist2",), methods=("uniform", "single"), vary={"lr": (3e-3, 1e-4)}),),
    labels={"single": "Single task"},
    figures=("sweep",),
)
TASKS = {"mmnist2": ("LU", "RL"), "mmnist3": ("LU", "RL", "LL"), "mmnist9": tuple("123456789")}


def score(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> dict[str, float]:
    """90 or 80 by method, and one more with each seed; with ten times the learning rate 10 more."""
    base = (90.0 if method == "single" else 80.0) + seed + 10 * np.log10(protocol.lr / 3e-3)
    return dict.fromkeys(TASKS[dataset], base)


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    return finished(method, seed, score(method, dataset, protocol, seed), dataset=dataset, protocol=protocol)


def on(*datasets: str, methods: tuple[str, ...] = ("uniform", "single")) -> Suite:
    return replace(RATES, grid=(Grid(datasets=datasets, methods=methods, vary={"lr": (1e-3, 3e-3, 1e-2)}),))


def planned(suite: Suite) -> SuiteRuns:
    """Return runs as they are really planned."""
    (found,) = suite_runs(suite, [answering(spec, (90.0, 80.0)) for spec in plan_suite(suite, seeds=[0])])
    return found


def drawn(runs: SuiteRuns) -> list[Axes]:
    (exhibit,) = shown_of(Sweep, runs)
    figure = figure_of(exhibit)
    figure.draw_without_rendering()
    return [axes for axes in figure.axes if axes.get_visible()]


def curves(axes: Axes) -> list[tuple[list[float], list[float]]]:
    """Return the lines through means, which are those of several places and of more than an interval's width."""
    lines = [line for line in axes.lines if line.get_linewidth() == 1.2]
    return [(list(np.asarray(line.get_xdata())), list(np.asarray(line.get_ydata()))) for line in lines]


def test_a_page_has_a_row_per_method_and_a_column_per_value_in_ascending_order() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus | None:
        if (method, protocol.lr) == ("uniform", 3e-3):
            return None
        if (method, protocol.lr, seed) == ("single", 1e-4, 2):
            return unfinished("failed", method, seed, "out of memory", protocol=protocol)
        return run(method, dataset, protocol, seed)

    runs = filled(RATES, some)
    (exhibit,) = shown_of(Sweep, runs)
    (page,) = pages_of(exhibit)
    assert page.label == "rates-paper-sweep-lr-mmnist2"
    # log10(1e-4 / 3e-3) is -1.4771; of 0, 1 and 2 the mean is 1 and the standard deviation too.
    assert render_markdown(page) == (
        "### rates: mmnist2 over lr, size paper\n\n"
        "| method | lr=0.0001 | lr=0.003 | n |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| uniform | 66.23 ± 1.00 | – | 3, 0 |\n"  # noqa: RUF001
        "| Single task | 75.73 ± 0.71 | 91.00 ± 1.00 | 2, 3 |\n"
        "\n"
        "mmnist2 over lr, size paper: mean ± standard deviation over n seeds (for each value if they differ).\n"
        "\n"
        "**Details.** Suite rates: Two learning rates. Columns: lr, learning rate at the start. "
        "Test accuracy in %, higher is better, the mean over tasks within each run, after the last epoch; the test "
        "split is not used for any choice. Standard deviations have the divisor n-1. "
        "A value chosen by these numbers would be chosen on the test split.\n"
    )


def test_the_frame_has_every_task_and_the_mean_with_students_interval() -> None:
    (exhibit,) = shown_of(Sweep, filled(RATES, run))
    frame = only(exhibit.numbers)
    assert len(frame) == 2 * 2 * 3
    row = frame[(frame["method"] == "single") & (frame["value"] == "0.003") & (frame["column"] == "mean")].iloc[0]
    assert (row["n"], row["mean"], row["std"]) == (3, 91, 1)
    # Of 90, 91 and 92: t(0.975, 2) / sqrt(3), with 4.303 from any table of t.
    assert row["t95_low"] == pytest.approx(91 - 4.303 / 3**0.5, abs=1e-3)
    assert row["t95_high"] == pytest.approx(91 + 4.303 / 3**0.5, abs=1e-3)


def test_a_panel_has_a_line_per_method_through_the_means_over_the_values_on_a_logarithmic_axis() -> None:
    main, *single = drawn(filled(RATES, run))
    assert (main.get_xscale(), main.get_xlabel(), main.get_ylabel()) == (
        "log",
        "lr (learning rate at the start)",
        "test accuracy (%)",
    )
    assert main.get_title() == "mmnist2: mean over tasks"
    assert [axes.get_title() for axes in single] == ["LU", "RL"]
    (x, uniform), (_, other) = curves(main)
    assert x == [1e-4, 3e-3]
    assert uniform == pytest.approx([66.23, 81], abs=0.005)
    assert other == pytest.approx([76.23, 91], abs=0.005)


@pytest.mark.parametrize(("datasets", "panels"), [(1, 1 + 2), (2, 1 + 2 + 1 + 3), (3, 1 + 2 + 1 + 3 + 1)])
def test_each_dataset_has_its_mean_and_up_to_four_tasks_one_by_one(datasets: int, panels: int) -> None:
    axes = drawn(filled(on(*list(TASKS)[:datasets]), run))
    assert len(axes) == panels
    assert len(pages_of(shown_of(Sweep, filled(on(*list(TASKS)[:datasets]), run))[0])) == datasets


def test_datasets_of_many_tasks_stand_side_by_side() -> None:
    assert [axes.get_title() for axes in drawn(filled(on("mmnist9"), run))] == ["mmnist9: mean over tasks"]


def test_of_one_seed_there_is_no_interval() -> None:
    main = drawn(filled(on("mmnist2"), run, seeds=1))[0]
    assert [line for line in main.lines if line.get_linewidth() == 0.9] == []
    assert len(curves(main)) == 2


def test_what_has_not_finished_is_a_gap() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus | None:
        return None if (method, protocol.lr) == ("single", 3e-3) else run(method, dataset, protocol, seed)

    _, (_, single) = curves(drawn(filled(on("mmnist2"), some))[0])
    assert np.isfinite(single).tolist() == [True, False, True]


def test_lines_differ_in_more_than_color() -> None:
    methods = ("uniform", "single", "td", "chmod", "film", "mtan", "moo", "mmoe")
    (piece,) = shown_of(Sweep, filled(on("mmnist2", methods=methods), run))
    figure = figure_of(piece)
    (legend,) = figure.legends
    looks = [(line.get_marker(), line.get_linestyle()) for line in legend.get_lines()]
    assert len({marker for marker, _ in looks}) == len(methods)


def test_of_many_methods_the_ends_are_named_and_the_others_grey() -> None:
    methods = (
        *("uniform", "single", "td", "chmod", "film", "mtan", "moo", "mmoe", "astmt", "cross-stitch", "tensormod"),
        *("branches+pcgrad", "branches+dwa", "branches+gls", "branches+imtl", "branches+mgda", "branches+famo"),
    )
    (exhibit,) = shown_of(Sweep, filled(on("mmnist2", methods=methods), run, seeds=1))
    figure = figure_of(exhibit)
    (legend,) = figure.legends
    named = [text.get_text().split(". ")[0] for text in legend.get_texts()]
    assert named == ["1", "2", "3", "4", "14", "15", "16", "17"]
    assert legend.get_texts()[0].get_text() == "1. Single task"
    grey = [line for line in figure.axes[0].lines if line.get_color() == "#C4C4C4"]
    assert len(grey) == len(methods) - 8


def test_values_that_are_no_quantities_have_an_axis_of_names_in_the_order_of_the_suite() -> None:
    grid = Grid(datasets=("mmnist2",), methods=("uniform",), vary={"tasks_per_image": ("one", "all")})
    main = drawn(filled(replace(RATES, grid=(grid,)), run))[0]
    assert [label.get_text() for label in main.get_xticklabels()] == ["one", "all"]
    assert (main.get_xscale(), main.get_xlabel()) == ("linear", "tasks_per_image")


def test_runs_that_are_not_varied_stand_at_the_protocols_own_value() -> None:
    grid = (*RATES.grid, Grid(datasets=("mmnist2",), methods=("uniform",)))
    (sweep,) = sweeps(filled(replace(RATES, grid=grid), run))
    assert sweep.values == ("0.0001", "0.001", "0.003")
    (part,) = sweep.parts
    (mean,) = part.main
    assert part.scores("uniform", "0.001", mean) == pytest.approx(np.arange(3) + 80 + 10 * np.log10(1 / 3))
    assert not len(part.scores("single", "0.001", mean))


def test_the_same_number_varied_under_two_settings_is_two_sweeps() -> None:
    first, second = (
        Grid(datasets=("mmnist2",), methods=("uniform",), set={"clip": clip}, vary={"lr": (1e-3, 3e-3)})
        for clip in (1.0, 2.0)
    )
    found = shown_of(Sweep, filled(replace(RATES, grid=(first, second)), run))
    stems = [stem for piece in found for stem in piece.figures]
    assert stems == ["rates-paper-sweep-lr-clip-1", "rates-paper-sweep-lr-clip-2"]
    assert pages_of(found[1])[0].title == "rates: mmnist2 over lr, clip=2, size paper"


def test_tasks_of_unlike_metrics_have_columns_and_panels_each() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]

    def mixed(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        return finished(method, seed, {"shape": 90.0, "depth": 0.5}, tasks=tasks, dataset=dataset, protocol=protocol)

    runs = filled(RATES, mixed)
    (page,) = pages_of(shown_of(Sweep, runs)[0])
    assert page.layout.header == (
        *("method", "shape lr=0.0001", "shape lr=0.003", "depth lr=0.0001", "depth lr=0.003", "n"),
    )
    assert [axes.get_ylabel() for axes in drawn(runs)] == ["test accuracy (%)", "test error (m), lower is better"]


def test_without_a_finished_run_nothing_is_drawn() -> None:
    runs = filled(RATES, lambda method, _, protocol, seed: unfinished("missing", method, seed, protocol=protocol))
    (exhibit,) = shown_of(Sweep, runs)
    assert (exhibit.pages, exhibit.figures, len(only(exhibit.numbers))) == ({}, {}, 0)


def test_each_value_has_a_table_and_the_suite_one_figure(tmp_path: Path) -> None:
    files = {file.name for file in assemble(Results.of_suite(planned(RATES))).write(tmp_path)}
    names = [f"rates-paper-mmnist2-lr-{value}-{part}" for value in ("0.0001", "0.003") for part in ("table", "ledger")]
    sheets = {f"{name}.{kind}" for name in names for kind in KINDS}
    sweep = {f"rates-paper-sweep-lr.{kind}" for kind in ("csv", "pdf", "png")}
    pages = {f"rates-paper-sweep-lr-mmnist2.{kind}" for kind in ("tex", "md")}
    assert files == {"rates-paper-runs.csv", "index.html", "rates-paper-numbers.tex"} | sheets | sweep | pages


def test_titles_say_the_variation_even_where_it_is_the_protocols_own_value() -> None:
    grid = Grid(datasets=("mmnist2",), methods=("uniform",), vary={"fraction": (0.1, 1.0)})
    runs = planned(replace(RATES, grid=(grid,)))
    assert [sheet.comparison.title for sheet in runs.sheets] == ["paper, fraction=0.1", "paper, fraction=1"]


KINDS = ("tex", "md", "csv")
