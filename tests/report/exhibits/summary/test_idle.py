"""Footnotes on what did nothing."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.exhibits.summary.idle import equal_weights, untrained
from mtbench.store.record import WeightRange
from tests.report.records import finished

Range = tuple[float, float]


def runs_of(method: str, *points: Mapping[str, Range] | None, losses: float = 1.0) -> MethodRuns:
    """Return a method with one run, with these lowest and highest task weights at each point of its curve."""
    run = finished(method)
    assert run.record is not None
    curve = tuple(
        replace(
            point,
            train_losses={"LU": 1.0, "RL": losses},
            weights=None
            if weights is None
            else {name: WeightRange(mean=low, low=low, high=high) for name, (low, high) in weights.items()},
        )
        for point, weights in zip(run.record.curve, points, strict=False)
    )
    return MethodRuns(title=method, runs=(replace(run, record=replace(run.record, curve=curve)),))


EQUAL = {"LU": (1.0, 1.0), "RL": (1.0, 1.0)}


def test_a_balancer_that_weighed_tasks_alike_in_every_step_is_named() -> None:
    said = "branches+dwa: task weights were equal at every step, so that it trained as uniform does."
    assert equal_weights(runs_of("branches+dwa", EQUAL, EQUAL)) == said


@pytest.mark.parametrize(
    "points",
    [
        (EQUAL, {"LU": (1.0, 1.0), "RL": (1.0, 1.01)}),
        (EQUAL, {"LU": (0.9, 0.9), "RL": (1.1, 1.1)}),
        (EQUAL, {"LU": (0.5, 0.5), "RL": (0.5, 0.5)}),
        (EQUAL, None),
        (),
    ],
    ids=["in one step not", "in one epoch not", "alike but not constant", "without weights", "without a curve"],
)
def test_a_balancer_whose_weights_differ_or_are_unknown_is_not(points: tuple[Mapping[str, Range] | None, ...]) -> None:
    assert equal_weights(runs_of("branches+dwa", *points)) == ""


def test_uniform_itself_is_not() -> None:
    assert equal_weights(runs_of("uniform", EQUAL, EQUAL)) == ""


def test_a_task_without_a_training_label_is_named() -> None:
    runs = [runs_of(method, EQUAL, EQUAL, losses=math.nan) for method in ("td", "uniform")]
    assert untrained(runs) == "RL was never trained: there was no training label."


def test_a_task_that_one_run_was_trained_on_is_not() -> None:
    runs = [runs_of("td", EQUAL, losses=math.nan), runs_of("uniform", EQUAL)]
    assert (untrained(runs), untrained([])) == ("", "")
