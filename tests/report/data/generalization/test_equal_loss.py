"""Errors at equal training loss, on curves whose error is a known function of the loss."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison, MethodRuns, compare
from mtbench.report.data.generalization.equal_loss import Trajectory, errors_at_equal_loss, mode_ratio, trajectory
from mtbench.store.record import CurvePoint, TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import finished

NAN = math.nan
Curve = Mapping[str, Sequence[tuple[float, float]]]


def run(method: str, seed: int, curve: Curve, *, evaluated: float = 1.0, split: str = "test") -> RunStatus:
    """Return a run with the training losses and errors of each task; its weights have `evaluated` times the last loss.

    Accuracies are 100 minus the errors.
    """
    count = len(next(iter(curve.values())))
    made = finished(method, seed, protocol=TrainingProtocol(epochs=count, validation=split == "val"))
    assert made.record is not None

    def results(at: int) -> dict[str, TaskResult]:
        return {
            task: TaskResult(loss=1, count=9, metrics={"accuracy": 100 - points[at][1]})
            for task, points in curve.items()
        }

    points = tuple(
        CurvePoint(
            epoch=at + 1,
            steps=at,
            label_uses=at,
            train_losses={task: points[at][0] for task, points in curve.items()},
            results={split: results(at)},
        )
        for at in range(count)
    )
    train = {
        task: TaskResult(loss=evaluated * points[-1][0], count=9, metrics={"accuracy": 99.0})
        for task, points in curve.items()
    }
    record = replace(
        made.record, curve=points, results={"test": results(count - 1), "train": train}, selected_epoch=count
    )
    return replace(made, record=record)


def along(losses: Sequence[float], error: Callable[[float], float]) -> list[tuple[float, float]]:
    return [(loss, error(loss)) for loss in losses]


def compared(*runs: RunStatus) -> tuple[Comparison, Sequence[MethodRuns]]:
    (comparison,) = compare(runs)
    return comparison, comparison.methods


def test_an_error_that_is_linear_in_the_logarithm_of_the_loss_is_read_exactly_between_points() -> None:
    single = along([1.0, 0.1, 0.01], lambda loss: 10 + 2 * math.log(loss))
    shared = along([2.0, 0.5, 0.03], lambda loss: 12 + 3 * math.log(loss))
    both = {"LU": single, "RL": single}, {"LU": shared, "RL": single}
    comparison, methods = compared(run("single", 0, both[0]), run("uniform", 0, both[1]))
    found = errors_at_equal_loss(comparison, methods, "LU")
    # The lowest losses are .01 and .03: both are compared at .03.
    assert found.levels == pytest.approx([0.03])
    assert found.errors["single"] == pytest.approx([10 + 2 * math.log(0.03)])
    assert found.errors["uniform"] == pytest.approx([12 + 3 * math.log(0.03)])
    alike = errors_at_equal_loss(comparison, methods, "RL")
    assert alike.levels == pytest.approx([0.01])
    mean = errors_at_equal_loss(comparison, methods, MEAN)
    assert mean.levels == pytest.approx([0.02])
    assert mean.errors["uniform"] == pytest.approx([(found.errors["uniform"][0] + alike.errors["uniform"][0]) / 2])


def test_each_seed_has_a_level_of_its_own_and_a_missing_run_takes_no_part_in_it() -> None:
    def of(low: float) -> Curve:
        return {"LU": [(1.0, 8.0), (low, 4.0)]}

    comparison, methods = compared(
        *(run("single", seed, of(0.1)) for seed in range(3)), run("uniform", 0, of(0.5)), run("uniform", 1, of(0.25))
    )
    found = errors_at_equal_loss(comparison, methods, "LU")
    assert found.levels == pytest.approx([0.5, 0.25, 0.1])
    down = [8 - 4 * math.log(level) / math.log(0.1) for level in (0.5, 0.25, 0.1)]
    assert found.errors["single"] == pytest.approx(down)
    assert np.allclose(found.errors["uniform"], [4.0, 4.0, NAN], equal_nan=True)


def test_nothing_is_extrapolated_beyond_the_first_point_of_a_curve() -> None:
    comparison, methods = compared(
        run("single", 0, {"LU": [(0.4, 5.0), (0.1, 3.0)]}), run("uniform", 0, {"LU": [(2.0, 9.0), (0.6, 6.0)]})
    )
    found = errors_at_equal_loss(comparison, methods, "LU")
    assert found.levels == pytest.approx([0.6])
    assert np.isnan(found.errors["single"]).all()
    assert found.errors["uniform"] == pytest.approx([6.0])


def test_only_points_below_all_before_count_and_a_loss_of_0_has_no_logarithm() -> None:
    curve = Trajectory(
        epochs=np.arange(1, 6), losses=np.array([1.0, 2.0, 0.1, 0.3, 0.0]), errors=np.array([9.0, 1.0, 5.0, 2.0, 0.0])
    )
    assert curve.lowest == 0.1
    assert curve.error_at(0.1) == 5
    assert curve.error_at(math.sqrt(0.1)) == pytest.approx(7)  # half way in the logarithm
    assert math.isnan(curve.error_at(0.05))
    nothing = Trajectory(epochs=np.array([1]), losses=np.array([NAN]), errors=np.array([3.0]))
    assert math.isnan(nothing.lowest)
    assert math.isnan(nothing.error_at(1.0))


def test_a_method_with_dropout_is_not_compared_and_does_not_set_the_level() -> None:
    curve = {"LU": [(1.0, 9.0), (0.1, 4.0)]}
    dropped = run("td", 0, {"LU": [(2.0, 8.0), (0.8, 3.0)]}, evaluated=0.5)
    comparison, methods = compared(run("single", 0, curve), run("uniform", 0, curve, evaluated=0.9), dropped)
    ratios = {method.title: mode_ratio(method) for method in methods}
    assert ratios == pytest.approx({"single": 1, "td": 2, "uniform": 1 / 0.9})
    found = errors_at_equal_loss(comparison, methods, "LU")
    assert found.levels == pytest.approx([0.1])
    assert np.isnan(found.errors["td"]).all()
    assert found.errors["single"] == pytest.approx([4.0])


def test_the_level_is_of_the_methods_that_are_asked_for() -> None:
    runs = [
        run("single", 0, {"LU": [(1.0, 9.0), (0.01, 1.0)]}),
        run("uniform", 0, {"LU": [(1.0, 9.0), (0.1, 5.0)]}),
        run("td", 0, {"LU": [(1.0, 9.0), (0.5, 8.0)]}),
    ]
    comparison, methods = compared(*runs)
    two = [method for method in methods if method.title != "td"]
    assert errors_at_equal_loss(comparison, methods, "LU").levels == pytest.approx([0.5])
    assert errors_at_equal_loss(comparison, two, "LU").errors["single"] == pytest.approx([5.0])


def test_with_a_validation_split_errors_are_of_that_split_and_other_metrics_are_taken_as_they_are() -> None:
    made = run("single", 0, {"LU": [(1.0, 9.0), (0.1, 4.0)]}, split="val")
    comparison, methods = compared(made)
    assert errors_at_equal_loss(comparison, methods, "LU").errors["single"] == pytest.approx([4.0])
    assert made.record is not None
    depth = TaskInfo(name="LU", metrics=(Metric(name="accuracy", unit="m", higher_is_better=False),))
    assert trajectory(made.record, depth, "val").errors == pytest.approx([91, 96])
    assert not len(trajectory(made.record, depth, "test").epochs)
