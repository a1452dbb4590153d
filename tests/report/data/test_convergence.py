"""Methods that still gain when training ends carry a mark."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mtbench.contract import Metric, TrainingProtocol
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.convergence import late_gain, unconverged
from mtbench.report.data.gains.relative import DELTA
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.summary.quantities import quantities
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import PAPER, QUICK, finished

DEPTH = TaskInfo(name="RL", metrics=(Metric(name="error", unit="m", higher_is_better=False),))


def curved(
    method: str,
    points: Mapping[int, Sequence[float]],
    *,
    seed: int = 0,
    split: str = "test",
    dataset: str = "mmnist2",
    protocol: TrainingProtocol = PAPER,
    tasks: Sequence[TaskInfo] = (),
    torch: str = "2.9.0",
) -> RunStatus:
    """Return a run with the metrics of LU and RL after some epochs."""
    run = finished(method, seed, points[max(points)], dataset=dataset, protocol=protocol, tasks=tasks, torch=torch)
    record = run.record
    assert record is not None
    curve = tuple(
        replace(
            record.curve[0],
            epoch=epoch,
            results={
                split: {
                    task.name: TaskResult(loss=0.25, count=100, metrics={task.metric: value})
                    for task, value in zip(record.tasks, values, strict=True)
                }
            },
        )
        for epoch, values in points.items()
    )
    return replace(run, record=replace(record, curve=curve))


def of(*runs: RunStatus) -> Comparison:
    (comparison,) = compare(runs)
    return comparison


def gain(comparison: Comparison, name: str) -> float:
    return late_gain(comparison, comparison.methods[0], name)


def test_the_gain_in_the_last_tenth_is_read_from_straight_lines_between_points() -> None:
    comparison = of(curved("td", {5: (50, 50), 80: (80, 70), 100: (84, 60)}))
    assert gain(comparison, "LU") == pytest.approx(2)  # 82 at epoch 90
    assert gain(comparison, "RL") == pytest.approx(-5)
    assert gain(comparison, "mean") == pytest.approx(-1.5)


def test_it_is_the_mean_over_runs_and_of_the_validation_split_where_there_is_one() -> None:
    held = replace(PAPER, validation=True)
    runs = [
        curved("td", {90: (80, 80), 100: (80 + gained, 80)}, seed=seed, split="val", protocol=held)
        for seed, gained in enumerate((1, 5))
    ]
    assert gain(of(*runs), "LU") == pytest.approx(3)


def test_a_smaller_error_is_a_gain_and_unlike_metrics_are_relative_to_their_values_at_the_end() -> None:
    accuracy = TaskInfo(name="LU", metrics=(Metric(name="accuracy", unit="%"),))
    comparison = of(curved("td", {90: (80, 0.55), 100: (80, 0.5)}, tasks=(accuracy, DEPTH)))
    assert gain(comparison, "RL") == pytest.approx(0.05)
    assert gain(comparison, DELTA) == pytest.approx((0 + 10) / 2)
    assert unconverged(comparison) == pytest.approx([5])


def test_a_curve_that_begins_in_the_last_tenth_or_crosses_zero_tells_nothing() -> None:
    assert math.isnan(gain(of(curved("td", {100: (80, 80)})), "mean"))
    logs = TaskInfo(name="LU", metrics=(Metric(name="objective"),)), DEPTH
    assert math.isnan(gain(of(curved("td", {90: (-1, -2), 100: (-0.5, -2)}, tasks=logs)), DELTA))


@pytest.mark.parametrize(("end", "marked"), [(80.4, False), (80.6, True), (70.0, False)])
def test_only_a_gain_of_more_than_half_a_point_is_marked(end: float, marked: bool) -> None:
    comparison = of(curved("td", {90: (80, 80), 100: (end, end)}), curved("moo", {90: (80, 80), 100: (80, 80)}))
    page = page_of(build_table(comparison))
    assert [line[0].says for line in page.layout.lines] == ["moo", "td‖" if marked else "td"]
    assert any(note.startswith("‖") for note in page.footnotes) is marked


def test_the_mark_and_its_word_are_in_every_rendering() -> None:
    page = page_of(build_table(of(curved("td", {90: (80, 80), 100: (83, 82)}))))
    said = (
        "Not converged: in the last tenth of training the mean over runs gains more than 0.5 points of the mean over "
        "tasks: td (+2.50)."
    )
    assert f"‖ {said}" in page.footnotes
    assert f"- ‖ {said}" in render_markdown(page)
    assert "| td‖ |" in render_markdown(page)
    assert rf"$\Vert$ {said}" in render_latex(page)
    assert r"td$\Vert$ &" in render_latex(page)


def test_a_preview_has_no_such_mark() -> None:
    assert math.isnan(unconverged(of(curved("td", {1: (20, 20), 2: (80, 80)}, protocol=QUICK)))[0])


def test_a_number_for_a_paper_has_the_mark_behind_itself() -> None:
    comparison = of(
        curved("td", {90: (80, 80), 100: (83, 82)}),
        curved("td", {90: (80, 80), 100: (83, 82)}, seed=1, torch="2.10.0"),
        curved("moo", {90: (80, 80), 100: (80, 80)}),
    )
    found = {each.name: each for each in quantities(comparison, build_table(comparison), None)}
    assert [[number.marks for number in found[name].numbers] for name in ("LU", "mean")] == [["", "‡‖"]] * 2
