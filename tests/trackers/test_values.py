"""Values that are sent."""

import dataclasses
import math
from pathlib import Path

from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
from mtbench.trackers.follow import read_curve
from mtbench.trackers.values import settings_of, tracked_run, values_of
from tests.trackers.tracked import point, spec_of, write_curve


def test_values_have_the_names_of_splits_tasks_and_metrics() -> None:
    assert values_of(point(2, accuracy=50, loss=3, weight=0.5)) == {
        "training/left/loss": 1.5,
        "test/left/loss": 6,
        "test/left/accuracy": 52,
        "weights/left/mean": 0.5,
        "weights/left/low": 0.25,
        "weights/left/high": 0.75,
    }


def test_undefined_and_infinite_values_are_left_out() -> None:
    assert values_of(point(1, accuracy=math.nan, loss=math.inf, weight=-math.inf)) == {
        "weights/left/low": 0.25,
        "weights/left/high": 0.75,
    }


def test_they_are_left_out_too_where_a_file_has_null_for_them(tmp_path: Path) -> None:
    path = write_curve(tmp_path, spec_of(), [point(1, accuracy=math.nan), point(2, loss=math.inf)])
    first, second = read_curve(RunFolder(path))
    assert values_of(first).keys() == {"training/left/loss", "test/left/loss"}
    assert values_of(second) == {"test/left/accuracy": 52}


def test_hyperparameters_are_those_of_the_command() -> None:
    asked = Request(methods=["td:channels=6+random"], datasets=["mmnist3:offset=8"], settings={"lr": "0.25"}, seeds=[7])
    found = settings_of(plan(asked)[0])
    assert found["dataset"] == "mmnist3:offset=8"
    assert found["dataset.offset"] == "8"
    assert found["method"] == "td:channels=6+random"
    assert found["network.channels"] == "6"
    assert (found["seed"], found["lr"], found["backbone"]) == (7, 0.25, "lenet")
    assert found["protocol"] == "paper"


def test_a_run_that_was_retrained_with_other_results_is_another_and_one_that_was_resumed_is_not() -> None:
    spec, curve = spec_of(), [point(1), point(2)]
    first = tracked_run(spec, curve)
    assert first.key.startswith(spec.id)
    assert first.name == f"toy2/uniform/seed-0-{first.key}"
    assert tracked_run(spec, [*curve, point(3)]) == first
    assert tracked_run(spec, [point(1, loss=0.2)]).key != first.key
    without = dataclasses.replace(curve[0], train_losses={"left": math.nan})
    assert tracked_run(spec, [without]).key != first.key
