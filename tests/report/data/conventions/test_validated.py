"""Numbers after the epoch that is best on the validation split, from curves that have both splits."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.contract import Classification, Metric, Task, TrainingProtocol
from mtbench.report.data.comparison import compare
from mtbench.report.data.conventions.read import read_by
from mtbench.report.data.conventions.rules import Rules
from mtbench.report.data.conventions.validated import validated_epoch
from mtbench.store.record import CurvePoint, PhaseInfo, Record, TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from mtbench.train.selection import best_epoch
from tests.report.records import finished

NAN = math.nan
SETTINGS: dict[str, Any] = {"validation": True, "curve": "all", "diagnostics": ("test-curve",)}
UP = Task(name="up", kind=Classification(classes=2))
DOWN_METRIC = Metric(name="error", higher_is_better=False)


class Error(Classification):
    metrics = (DOWN_METRIC,)


DOWN = Task(name="down", kind=Error(classes=2))


def points(**splits: Mapping[str, Sequence[float]]) -> tuple[CurvePoint, ...]:
    """Return points after 1, 2, ... epochs with the metric of each task on each split."""
    count = len(next(iter(next(iter(splits.values())).values())))
    return tuple(
        CurvePoint(
            epoch=at + 1,
            steps=at,
            label_uses=at,
            train_losses={},
            results={
                split: {
                    task: TaskResult(loss=0.5, count=9, metrics={"error" if task == "down" else "accuracy": values[at]})
                    for task, values in tasks.items()
                }
                for split, tasks in splits.items()
            },
        )
        for at in range(count)
    )


def recorded(curve: tuple[CurvePoint, ...]) -> Record:
    record = finished("td", tasks=(TaskInfo.of(UP), TaskInfo.of(DOWN)), scores={"up": 1.0, "down": 1.0}).record
    assert record is not None
    return replace(record, curve=curve)


SERIES = st.lists(
    st.tuples(*[st.one_of(st.just(NAN), st.just(0.0), st.floats(-9, 9)) for _ in range(2)]), min_size=1, max_size=6
)


@given(SERIES)
def test_the_epoch_is_the_one_that_training_would_select(series: list[tuple[float, float]]) -> None:
    up, down = zip(*series, strict=True)
    curve = points(val={"up": up, "down": down})
    record = recorded(curve)
    if not (math.isfinite(up[0]) or math.isfinite(down[0])):
        assert validated_epoch(record, record.tasks) is None
        return
    assert validated_epoch(record, record.tasks) == best_epoch(curve, [UP, DOWN])


def test_lower_is_better_where_the_metric_says_so() -> None:
    record = recorded(points(val={"up": [50, 60, 50], "down": [4, 4, 2]}))  # +.2 and 0, against 0 and +.5
    assert validated_epoch(record, record.tasks) == 3
    assert validated_epoch(record, record.tasks[:1]) == 2
    assert validated_epoch(recorded(points(test={"up": [50], "down": [4]})), record.tasks) is None


def test_of_a_run_in_phases_the_last_phase_counts_in_which_the_network_of_the_row_is_trained() -> None:
    record = recorded(points(val={"up": [50, 90, 60, 70], "down": [4, 1, 4, 3]}))
    assert validated_epoch(record, record.tasks) == 2
    first, second = (
        PhaseInfo(name=name, epochs=2, parameters=1, weights=1, tasks=("up", "down")) for name in ("branches", "masks")
    )
    assert validated_epoch(replace(record, phases=(first, second)), record.tasks) == 4


def run(method: str, val: Sequence[Sequence[float]], test: Sequence[Sequence[float]], **changed: Any) -> RunStatus:
    protocol = TrainingProtocol(epochs=len(val), **{**SETTINGS, **changed})
    made = finished(method, 0, test[-1], protocol=protocol)
    assert made.record is not None

    def tasks(rows: Sequence[Sequence[float]]) -> dict[str, list[float]]:
        return {"LU": [row[0] for row in rows], "RL": [row[1] for row in rows]}

    splits = {"val": tasks(val)} | ({"test": tasks(test)} if "diagnostics" not in changed else {})
    return replace(made, record=replace(made.record, curve=points(**splits)))


VAL = [(50.0, 50.0), (60.0, 52.0), (55.0, 56.0)]
TEST = [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]


def test_test_metrics_are_those_of_the_best_validated_epoch_and_of_single_task_networks_of_each_tasks_own() -> None:
    (comparison,) = compare([run("uniform", VAL, TEST), run("single", VAL, TEST)])
    found = {method.title: method.records[0] for method in read_by(comparison, Rules(epoch="val"), name="val").methods}
    # Gains over the first epoch: 20 and 4 % after the second, 10 and 12 % after the third.
    assert [found["uniform"].value(task, "accuracy") for task in ("LU", "RL")] == [3, 4]
    assert [found["single"].value(task, "accuracy") for task in ("LU", "RL")] == [3, 6]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"diagnostics": ()}, "its curve is not of the test split (train with `--set diagnostics=test-curve`)."),
        ({"validation": False}, "no validation split was held out (train with `--set validation=true`)."),
    ],
)
def test_a_run_without_one_of_the_splits_has_no_number_and_a_sentence_says_what_to_set(
    changed: dict[str, Any], told: str
) -> None:
    (comparison,) = compare([run("uniform", VAL, TEST, **changed)])
    read = read_by(comparison, Rules(epoch="val"), name="val")
    assert read.reading is not None
    (sentence,) = read.reading.lacking
    assert sentence.endswith(told)
    assert math.isnan(read.methods[0].records[0].value("LU", "accuracy"))
