import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import Counted, Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.scaling.exhibit import Scaling
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import finished, unfinished
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

GROWING = Suite(
    name="growing",
    title="More tasks",
    grid=(Grid(datasets=("mmnist3", "mmnist2"), methods=("td", "single")),),
    figures=("tasks",),
)
TASKS = {"mmnist2": ("LU", "RL"), "mmnist3": ("LU", "RL", "LL"), "mmnist4": ("LU", "RL", "LL", "RU")}


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    """single has 80 with two tasks and 60 with three; td a tenth more. Its weights grow by a twentieth per task."""
    names = TASKS[dataset]
    base = {2: 80.0, 3: 60.0, 4: 50.0}[len(names)] * (1.1 if method == "td" else 1)
    return finished(
        method,
        seed,
        dict.fromkeys(names, base + seed),
        dataset=dataset,
        protocol=protocol,
        weights=10_000 * len(names) if method == "single" else 10_000 + 500 * len(names),
        macs=400_000 * len(names),
    )


def drawn(runs: SuiteRuns) -> Figure:
    (exhibit,) = shown_of(Scaling, runs)
    figure = figure_of(exhibit)
    figure.draw_without_rendering()
    return figure


def test_pages_have_a_row_per_method_and_a_column_per_dataset_by_its_number_of_tasks() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        if (method, dataset, seed) == ("td", "mmnist3", 1):
            return unfinished("failed", method, seed, "out of memory", dataset=dataset, protocol=protocol)
        return run(method, dataset, protocol, seed)

    ((exhibit),) = shown_of(Scaling, filled(GROWING, some, seeds=2))
    results, costs = pages_of(exhibit)
    # 88 / 80 is a gain of 10 %, and 89 / 81 one of 9.877 %.
    assert render_markdown(results) == (
        "### growing: over the number of tasks, size paper\n\n"
        "| method | mmnist2 (2) | mmnist3 (3) | Δm mmnist2 (2) | Δm mmnist3 (3) | n |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| td | 88.50 ± 0.71 | 66.00 | +9.94 ± 0.09 | +10.00 | 2, 1 |\n"
        "| single | 80.50 ± 0.71 | 60.50 ± 0.71 | +0.00 ± 0.00 | +0.00 ± 0.00 | 2 |\n"
        "\n"
        "More tasks, size paper: mean ± standard deviation over n seeds (for each dataset if they differ); "
        "in brackets: number of tasks.\n"
        "\n"
        "**Details.** "
        "Test accuracy in %, higher is better, the mean over tasks within each run, after the last epoch; the test "
        "split is not used for any choice. "
        "Δm: the mean over tasks of the relative gain over single with the same seed and backbone, in %. "
        "Standard deviations have the divisor n-1. "
        "Datasets with more tasks may be harder: compare methods within a column.\n"
    )
    assert render_markdown(costs).split("\n\n")[1] == (
        "| method | dataset | tasks | weights | \\#P | MACs one | MACs all | memory | s/epoch |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| td | mmnist2 | 2 | 11,000 | ×1.10 | 400.0k | 800.0k | 300 MB | 1.50 |\n"  # noqa: RUF001
        "| td | mmnist3 | 3 | 11,500 | ×1.15 | 600.0k | 1.2M | 300 MB | 1.50 |\n"  # noqa: RUF001
        "| single | mmnist2 | 2 | 20,000 | ×2.00 | 400.0k | 800.0k | 300 MB | 1.50 |\n"  # noqa: RUF001
        "| single | mmnist3 | 3 | 30,000 | ×3.00 | 600.0k | 1.2M | 300 MB | 1.50 |"  # noqa: RUF001
    )
    assert (results.label, costs.label) == ("growing-paper-tasks", "growing-paper-tasks-cost")


def test_panels_are_over_the_number_of_tasks_that_records_have() -> None:
    panels = {axes.get_title(): axes for axes in drawn(filled(GROWING, run)).axes if axes.get_visible()}
    assert list(panels) == [
        "mean over tasks",
        "gain over single",
        "weights",
        "to answer one task",
        "to answer all tasks",
    ]
    for axes in panels.values():
        (td, *_) = (line for line in axes.lines if line.get_linewidth() == 1.2)
        assert list(np.asarray(td.get_xdata())) == [2, 3]
    (weights, *_) = (line for line in panels["weights"].lines if line.get_linewidth() == 1.2)
    assert list(np.asarray(weights.get_ydata())) == [1.1, 1.15]
    assert panels["weights"].get_yscale() == "log"
    assert panels["mean over tasks"].get_ylabel() == "test accuracy (%)"


def test_without_single_task_runs_there_is_no_gain() -> None:
    suite = replace(GROWING, grid=(Grid(datasets=("mmnist2", "mmnist3"), methods=("td",)),))
    runs = filled(suite, run)
    assert "gain" not in " ".join(axes.get_title() for axes in drawn(runs).axes)
    assert pages_of(shown_of(Scaling, runs)[0])[0].layout.header == ("method", "mmnist2 (2)", "mmnist3 (3)", "n")


@pytest.mark.parametrize("datasets", [("mmnist2",), ("mmnist2", "mmnist3", "mmnist4")])
@pytest.mark.parametrize("seeds", [1, 3])
def test_any_number_of_datasets_and_seeds_is_drawn(datasets: tuple[str, ...], seeds: int) -> None:
    suite = replace(GROWING, grid=(Grid(datasets=datasets, methods=("td", "single")),))
    figure = drawn(filled(suite, run, seeds=seeds))
    intervals = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.9]
    assert bool(intervals) == (seeds > 1)


def test_a_dataset_without_a_finished_run_is_left_out() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        if dataset == "mmnist3":
            return unfinished("missing", method, seed, dataset=dataset, protocol=protocol)
        return run(method, dataset, protocol, seed)

    (exhibit,) = shown_of(Scaling, filled(GROWING, some))
    assert set(only(exhibit.numbers)["dataset"]) == {"mmnist2"}


def test_the_frame_has_results_gains_and_costs() -> None:
    (exhibit,) = shown_of(Scaling, filled(GROWING, run))
    row = only(exhibit.numbers)[(only(exhibit.numbers)["method"] == "td") & (only(exhibit.numbers)["tasks"] == 3)].iloc[
        0
    ]
    gains = [10.0, 100 * (67 / 61 - 1), 100 * (68 / 62 - 1)]
    assert row["delta_m"] == pytest.approx(np.mean(gains))
    assert row["delta_m_std"] == pytest.approx(np.std(gains, ddof=1))
    assert (row["n"], row["mean"], row["parameter_ratio"], row["weights"]) == (3, 67, 1.15, 11_500)
    assert (row["macs_per_task"], row["macs_per_input"]) == (600_000, 1_200_000)
    assert (row["peak_memory"], row["seconds_per_epoch"]) == (300_000_000, 1.5)
    assert math.isfinite(row["t95_low"])


def test_tasks_of_unlike_metrics_have_gains_and_costs_alone() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]

    def mixed(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        return finished(method, seed, {"shape": 90.0, "depth": 0.5}, tasks=tasks, dataset=dataset, protocol=protocol)

    titles = [axes.get_title() for axes in drawn(filled(GROWING, mixed)).axes if axes.get_visible()]
    assert titles == ["gain over single", "weights", "to answer one task", "to answer all tasks"]


COUNTED = replace(
    GROWING,
    counted=(
        Counted(datasets=("mmnist9", "mmnist3"), methods=("uniform",)),
        Counted(datasets=("mmnist9",), methods=("td",)),
    ),
)


def test_networks_that_are_only_counted_stand_in_the_page_of_costs_and_nowhere_else() -> None:
    (exhibit,) = shown_of(Scaling, filled(COUNTED, run))
    results, costs = pages_of(exhibit)
    assert [line[0].says for line in results.layout.lines] == ["td", "single"]
    assert "mmnist9" not in " ".join(results.layout.header)
    rows = [tuple(cell.says for cell in line) for line in costs.layout.lines]
    # LeNet has 21,250 weights, and 3,000 more per branch; td 9,651 and 320 per task (Levi & Ullman 2020, Table 5a).
    assert [row[1:4] for row in rows if row[0] == "td"] == [
        ("mmnist2", "2", "11,000"),
        ("mmnist3", "3", "11,500"),
        ("mmnist9", "9", f"{21_250 + 9_651 + 9 * 320:,}"),
    ]
    assert [row[1:5] for row in rows if row[0] == "uniform"] == [
        ("mmnist3", "3", f"{21_250 + 3 * 3_000:,}", "×1.25"),  # noqa: RUF001
        ("mmnist9", "9", f"{21_250 + 9 * 3_000:,}", "×1.99"),  # noqa: RUF001
    ]
    assert {row[7:] for row in rows if row[0] == "uniform"} == {("\N{EN DASH}", "\N{EN DASH}")}
    said = "Rows without memory were counted, not trained."
    assert said in costs.details
    assert said not in pages_of(shown_of(Scaling, filled(GROWING, run))[0])[1].details


def test_networks_that_are_only_counted_have_costs_in_the_figure_and_no_results() -> None:
    panels = {axes.get_title(): axes for axes in drawn(filled(COUNTED, run)).axes if axes.get_visible()}
    lines = {
        title: [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines if line.get_linewidth() == 1.2]
        for title, axes in panels.items()
    }
    assert [np.isfinite(values).tolist() for values in lines["mean over tasks"]] == [
        [True, True, False],
        [True, True, False],
        [False, False, False],
    ]
    assert [np.isfinite(values).tolist() for values in lines["weights"]] == [
        [True, True, True],
        [True, True, False],
        [False, True, True],
    ]


def test_the_axis_of_tasks_is_logarithmic_where_it_is_long() -> None:
    assert drawn(filled(COUNTED, run)).axes[0].get_xscale() == "linear"
    longer = replace(GROWING, counted=(Counted(datasets=("clevr40",), methods=("chmod",)),))
    assert drawn(filled(longer, run)).axes[0].get_xscale() == "log"
