from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.adding.data import additions
from mtbench.report.exhibits.adding.exhibit import Adding
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import PhaseInfo, TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import finished, unfinished
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

GRID = (
    Grid(datasets=("mmnist3",), methods=("uniform", "chmod"), vary={"adds": ("own", "all")}),
    Grid(datasets=("mmnist3",), methods=("uniform", "single")),
)
ADDING = Suite(name="adding", title="A third task", grid=GRID, figures=("adding",))
TASKS = tuple(
    TaskInfo(name=name, metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),))
    for name in ("LU", "RL", "LL")
)
BEFORE = {"uniform": 90.0, "chmod": 80.0}
"""The old tasks' mean at the end of the first phase, of seed 0; one more with each seed."""
DAMAGE = {("uniform", "all"): -2.0, ("chmod", "all"): -4.0}


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    """Return each phase has two epochs. The damage of seed s is s more than that of seed 0; where only the new task's
    own numbers are trained there is none."""
    if protocol.adds == "none":
        return finished(method, seed, {"LU": 95.0, "RL": 93.0, "LL": 91.0 + seed}, dataset=dataset, protocol=protocol)
    before = BEFORE[method] + seed
    after = before + (DAMAGE[method, protocol.adds] - seed if protocol.adds == "all" else 0)
    return with_phases(
        finished(method, seed, {"LU": after + 1, "RL": after - 1, "LL": 70.0}, dataset=dataset, protocol=protocol),
        before,
    )


def with_phases(made: RunStatus, before: float, split: str = "test") -> RunStatus:
    record = made.record
    assert record is not None
    mode = record.spec.protocol.adds
    own = mode == "own"
    phases = (
        PhaseInfo(name="first", epochs=2, parameters=27_000, weights=26_000, tasks=("LU", "RL")),
        PhaseInfo(
            name=mode,
            epochs=2,
            parameters=3_060 if own else 30_000,
            weights=3_000 if own else 29_000,
            tasks=("LL",) if own else ("LU", "RL", "LL"),
        ),
    )
    then = {"LU": before + 3, "RL": before - 3, "LL": 10.0}
    results = {name: TaskResult(loss=1, count=9, metrics={"accuracy": score}) for name, score in then.items()}
    curve = tuple(replace(point, results={split: results}) if point.epoch == 2 else point for point in record.curve)
    return replace(made, record=replace(record, phases=phases, curve=curve))


def drawn(runs: SuiteRuns) -> Figure:
    (exhibit,) = shown_of(Adding, runs)
    figure = figure_of(exhibit)
    figure.draw_without_rendering()
    return figure


def test_a_page_says_what_was_learned_what_was_lost_and_what_was_trained() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        if (method, protocol.adds, seed) == ("chmod", "all", 1):
            return unfinished("failed", method, seed, "out of memory", dataset=dataset, protocol=protocol)
        return run(method, dataset, protocol, seed)

    (exhibit,) = shown_of(Adding, filled(ADDING, some, seeds=2))
    (page,) = pages_of(exhibit)
    # Of -2 and -3 the mean is -2.5 and the half-width 12.706 / 2, with t from any table.
    assert render_markdown(page) == (
        "### adding: task LL added on mmnist3, size paper\n\n"
        "| method | LL | old before | old after | change | trained | n | LL at once | old at once |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| uniform, own | 70.00 ± 0.00 | 90.50 ± 0.71 | 90.50 ± 0.71 | +0.00 (+0.00 to +0.00) | 3,060 | 2 "
        "| 91.50 ± 0.71 | 94.00 ± 0.00 |\n"
        "| chmod, own | 70.00 ± 0.00 | 80.50 ± 0.71 | 80.50 ± 0.71 | +0.00 (+0.00 to +0.00) | 3,060 | 2 | – | – |\n"  # noqa: RUF001
        "| uniform, all | 70.00 ± 0.00 | 90.50 ± 0.71 | 88.00 ± 0.00 | -2.50 (-8.85 to +3.85) | 30,000 | 2 "
        "| 91.50 ± 0.71 | 94.00 ± 0.00 |\n"
        "| chmod, all | 70.00 | 80.00 | 76.00 | -4.00 | 30,000 | 1/2 | – | – |\n"  # noqa: RUF001
        "\n"
        "LL added to networks trained on LU and RL: test accuracy in %, mean ± standard deviation over n seeds. "
        "Own: only the task-specific parameters of the new task are trained further; all: all parameters, on all "
        "tasks.\n"
        "\n"
        "**Details.** Suite adding: task LL added on mmnist3, size paper. "
        "Training continues for as many epochs as before the addition. "
        "LL is measured after the last epoch; the test split is not used for any choice. "
        "Old before and after: mean over LU and RL on the test split at the addition of LL and at the end; change: "
        "after minus before within each run, with its 95 % confidence interval. "
        "Trained: number of parameters that were trained after the addition, with biases. "
        "At once: runs of the same seeds that had all tasks from the start. "
        "Standard deviations have the divisor n-1.\n"
    )


def test_the_change_is_paired_within_runs() -> None:
    (addition,) = additions(filled(ADDING, run))
    by_name = {(each.method, each.mode): each for each in addition.methods}
    assert by_name["uniform", "all"].change == pytest.approx([-2, -3, -4])
    assert by_name["uniform", "all"].before == pytest.approx([90, 91, 92])
    assert by_name["chmod", "own"].change == pytest.approx([0, 0, 0])
    assert by_name["uniform", "own"].at_once == pytest.approx([91, 92, 93])
    assert np.isnan(by_name["chmod", "own"].at_once).all()
    assert (addition.task.name, [task.name for task in addition.old]) == ("LL", ["LU", "RL"])


def test_with_a_validation_split_before_and_after_are_both_of_it() -> None:
    def validated(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        made = with_phases(
            finished(method, seed, {"LU": 50.0, "RL": 50.0, "LL": 50.0}, dataset=dataset, protocol=protocol), 80, "val"
        )
        assert made.record is not None
        val = {t.name: TaskResult(loss=1, count=9, metrics={"accuracy": 77.0}) for t in TASKS}
        return replace(made, record=replace(made.record, results={**made.record.results, "val": val}))

    grid = Grid(datasets=("mmnist3",), methods=("uniform",), set={"validation": True}, vary={"adds": ("all",)})
    (addition,) = additions(filled(replace(ADDING, grid=(grid,)), validated))
    (method,) = addition.methods
    assert addition.split == "val"
    assert (addition.fixed, list(method.change)) == ((("validation", "true"),), [-3, -3, -3])
    assert list(method.new) == [50, 50, 50]


def test_the_figure_has_a_row_per_method_and_way() -> None:
    new, means, change, trained = drawn(filled(ADDING, run)).axes
    assert [label.get_text() for label in new.get_yticklabels()] == [
        *("uniform, own", "chmod, own", "uniform, all", "chmod, all"),
    ]
    assert [axes.get_title() for axes in (new, means, change, trained)] == [
        *("new task", "old tasks, mean", "old tasks, change", "numbers trained"),
    ]
    left, right = change.get_xlim()
    assert left < -6
    assert right > 0


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_and_no_reference_are_drawn(seeds: int) -> None:
    figure = drawn(filled(replace(ADDING, grid=GRID[:1]), run, seeds=seeds))
    (legend,) = figure.legends
    assert "all tasks from the start" not in [text.get_text() for text in legend.get_texts()]


def test_the_frame_has_a_row_per_run() -> None:
    (exhibit,) = shown_of(Adding, filled(ADDING, run))
    frame = only(exhibit.numbers)
    assert len(frame) == 2 * 2 * 3
    row = frame[(frame["method"] == "chmod") & (frame["mode"] == "all") & (frame["seed"] == 2)].iloc[0]
    assert (row["old_before"], row["old_after"], row["change"], row["new"]) == (82, 76, -6, 70)
    assert (row["parameters_trained"], row["weights_trained"], row["old_tasks"]) == (30_000, 29_000, "LU/RL")


def test_a_suite_that_adds_nothing_has_nothing_to_show() -> None:
    assert shown_of(Adding, filled(replace(ADDING, grid=GRID[1:]), run)) == []
