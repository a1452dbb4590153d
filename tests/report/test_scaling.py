import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.report.markup import render_markdown
from mtbench.report.scaling import scaling_exhibits
from mtbench.report.suite import SuiteRuns
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import finished, unfinished
from tests.report.suites import filled

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
    (exhibit,) = scaling_exhibits(runs)
    assert exhibit.draw is not None
    figure = exhibit.draw()
    figure.draw_without_rendering()
    return figure


def test_pages_have_a_row_per_method_and_a_column_per_dataset_by_its_number_of_tasks() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        if (method, dataset, seed) == ("td", "mmnist3", 1):
            return unfinished("failed", method, seed, "out of memory", dataset=dataset, protocol=protocol)
        return run(method, dataset, protocol, seed)

    ((exhibit),) = scaling_exhibits(filled(GROWING, some, seeds=2))
    results, costs = exhibit.pages
    # 88 / 80 is a gain of 10 %, and 89 / 81 one of 9.877 %.
    assert render_markdown(results) == (
        "### growing: over the number of tasks, size paper\n\n"
        "| method | mmnist2 (2) | mmnist3 (3) | Δm mmnist2 (2) | Δm mmnist3 (3) | n |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| td | 88.50 ± 0.71 | 66.00 | +9.94 ± 0.09 | +10.00 | 2, 1 |\n"
        "| single | 80.50 ± 0.71 | 60.50 ± 0.71 | +0.00 ± 0.00 | +0.00 ± 0.00 | 2 |\n"
        "\n"
        "Suite growing: More tasks, size paper. "
        "Test accuracy in %, higher is better, the mean over tasks within each run, after the last epoch; nothing is "
        "chosen on the test split. "
        "Δm: the mean over tasks of the relative gain over single of the same seed and backbone, in %. "
        "± is the standard deviation over n seeds (divisor n-1); n: seeds, of each dataset where they differ. "
        "In brackets: how many tasks. Datasets with more may be harder: compare methods within a column.\n"
    )
    assert render_markdown(costs).split("\n\n")[1] == (
        "| method | \\#P mmnist2 (2) | \\#P mmnist3 (3) | MACs one mmnist2 (2) | MACs one mmnist3 (3) "
        "| MACs all mmnist2 (2) | MACs all mmnist3 (3) |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| td | ×1.10 | ×1.15 | 400.0k | 600.0k | 800.0k | 1.2M |\n"  # noqa: RUF001
        "| single | ×2.00 | ×3.00 | 400.0k | 600.0k | 800.0k | 1.2M |"  # noqa: RUF001
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
    assert scaling_exhibits(runs)[0].pages[0].layout.header == ("method", "mmnist2 (2)", "mmnist3 (3)", "n")


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

    (exhibit,) = scaling_exhibits(filled(GROWING, some))
    assert set(exhibit.frame["dataset"]) == {"mmnist2"}


def test_the_frame_has_results_gains_and_costs() -> None:
    (exhibit,) = scaling_exhibits(filled(GROWING, run))
    row = exhibit.frame[(exhibit.frame["method"] == "td") & (exhibit.frame["tasks"] == 3)].iloc[0]
    gains = [10.0, 100 * (67 / 61 - 1), 100 * (68 / 62 - 1)]
    assert row["delta_m"] == pytest.approx(np.mean(gains))
    assert row["delta_m_std"] == pytest.approx(np.std(gains, ddof=1))
    assert (row["n"], row["mean"], row["parameter_ratio"], row["weights"]) == (3, 67, 1.15, 11_500)
    assert (row["macs_per_task"], row["macs_per_input"]) == (600_000, 1_200_000)
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
