import csv
import io
import math
from dataclasses import replace

import pandas as pd
import pytest

from mtbench.contract import Metric
from mtbench.report.data.comparison import compare
from mtbench.report.data.frame import COLUMNS, curve_frame, tidy_frame
from mtbench.store.record import TaskInfo
from tests.report.records import QUICK, finished, unfinished


def test_a_finished_run_has_a_row_per_task_and_one_for_their_mean() -> None:
    frame = tidy_frame(compare([finished("td", 3, (90.1, 80.2))]))
    assert frame[["method", "seed", "split", "task", "value", "count"]].astype(object).values.tolist() == [
        ["td", 3, "test", "LU", 90.1, 10_000],
        ["td", 3, "test", "RL", 80.2, 10_000],
        ["td", 3, "test", "mean", pytest.approx(85.15), pd.NA],
    ]


@pytest.mark.parametrize("state", ["failed", "missing", "running", "damaged"])
def test_a_run_without_a_record_is_a_row_with_its_state_and_no_numbers(state: str) -> None:
    frame = tidy_frame(compare([unfinished(state, why="so it is"), finished("moo")]))
    row = frame[frame["method"] == "td"].iloc[0]
    assert (row["state"], row["why"]) == (state, "so it is")
    assert row[list(COLUMNS)[13:]].isna().all()
    assert len(frame) == 4


def test_numbers_survive_the_csv_to_the_last_bit() -> None:
    run = finished("td", 0, (100 / 3, 200 / 7))
    text = tidy_frame(compare([run])).to_csv(index=False)
    first, second, *_ = csv.DictReader(io.StringIO(text))
    assert [float(row["value"]) for row in (first, second)] == [100 / 3, 200 / 7]
    assert float(first["wall_seconds"]) == 0.1 + 0.2
    assert float(first["training_cpu_seconds"]) == 1.5 * 100
    assert run.record is not None
    assert float(first["weights"]) == run.record.parameters.weights


def test_a_record_of_before_training_was_timed_has_no_such_seconds() -> None:
    frame = tidy_frame(compare([finished(seconds=math.nan)]))
    assert frame[["training_wall_seconds", "training_cpu_seconds"]].isna().all(axis=None)


def test_every_run_tells_its_gradient_scale() -> None:
    protocol = replace(QUICK, gradient_scale="matched")
    frame = tidy_frame(compare([finished(protocol=protocol), unfinished("missing", "moo", protocol=protocol)]))
    assert set(frame["gradient_scale"]) == {"matched"}


def test_unlike_metrics_have_no_mean_row() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    frame = tidy_frame(compare([finished(scores={"shape": 90, "depth": 0.5}, tasks=tasks)]))
    assert frame["task"].tolist() == ["shape", "depth"]


def test_every_metric_of_every_task_has_a_row_and_a_mean_where_all_tasks_share_it() -> None:
    shared = (Metric(name="accuracy", unit="%"), Metric(name="macro-f1", unit="%", in_delta=False))
    tasks = [
        TaskInfo(name="shape", metrics=shared),
        TaskInfo(name="side", metrics=(*shared, Metric(name="f1", unit="%", in_delta=False))),
    ]
    scores = {"shape": {"accuracy": 90, "macro-f1": 80}, "side": {"accuracy": 70, "macro-f1": 60, "f1": 50}}
    frame = tidy_frame(compare([finished(scores=scores, tasks=tasks)]))
    assert frame[["task", "metric", "primary", "value"]].to_numpy().tolist() == [
        ["shape", "accuracy", True, 90],
        ["shape", "macro-f1", False, 80],
        ["side", "accuracy", True, 70],
        ["side", "macro-f1", False, 60],
        ["side", "f1", False, 50],
        ["mean", "accuracy", True, 80],
        ["mean", "macro-f1", False, 70],
    ]


def test_a_run_says_its_selected_epoch_and_its_numerics() -> None:
    row = tidy_frame(compare([finished(threads=2, torch="2.10.0")])).iloc[0]
    names = ["selected_epoch", "torch", "torch_instructions", "onednn_instructions", "threads", "processor"]
    assert row[names].tolist() == [100, "2.10.0", "AVX512", "avx512_core", 2, "some"]


def test_no_runs_make_an_empty_frame_with_every_column() -> None:
    assert tidy_frame([]).columns.tolist() == list(COLUMNS)


def test_a_curve_is_a_row_per_point_with_means_over_tasks() -> None:
    (comparison,) = compare([finished("td", 3, (90, 80), protocol=QUICK), unfinished("missing", "moo", protocol=QUICK)])
    assert curve_frame(comparison).to_numpy().tolist() == [
        ["td", 3, 1, pytest.approx(0.4 * 85), pytest.approx(2.3 * 0.7 + 0.06)],
        ["td", 3, 2, pytest.approx(0.64 * 85), pytest.approx(2.3 * 0.49 + 0.06)],
    ]


def test_a_task_absent_in_an_epoch_is_left_out_of_the_mean_training_loss() -> None:
    run = finished(protocol=QUICK)
    assert run.record is not None
    losses = [{"LU": math.nan, "RL": 0.5}, {"LU": 0.1, "RL": 0.3}]
    curve = tuple(replace(point, train_losses=loss) for point, loss in zip(run.record.curve, losses, strict=True))
    (comparison,) = compare([replace(run, record=replace(run.record, curve=curve))])
    assert curve_frame(comparison)["training_loss"].tolist() == [0.5, 0.2]
