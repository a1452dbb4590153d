"""The gap between test and training loss of made-up runs."""

from dataclasses import replace

import numpy as np
import pytest

from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import compare
from mtbench.report.data.generalization.gap import gap_of, gaps, losses
from mtbench.store.record import TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import finished, unfinished


def run(method: str, seed: int, *, test: tuple[float, float], train: tuple[float, float] | None) -> RunStatus:
    made = finished(method, seed)
    assert made.record is not None
    results = {
        split: {
            task: TaskResult(loss=loss, count=9, metrics={"accuracy": 90.0})
            for task, loss in zip(("LU", "RL"), pair, strict=True)
        }
        for split, pair in (("test", test), ("train", train))
        if pair
    }
    return replace(made, record=replace(made.record, results=results))


def test_the_gap_is_test_loss_minus_training_loss_per_seed_and_of_the_mean_over_tasks() -> None:
    (comparison,) = compare(
        [
            run("uniform", 0, test=(0.5, 0.9), train=(0.25, 0.5)),
            run("uniform", 1, test=(0.5, 0.1), train=(0.5, 0.2)),
            unfinished("missing", "uniform", 2),
            run("single", 0, test=(1.0, 1.0), train=(0.0, 0.5)),
            run("single", 2, test=(1.0, 1.0), train=None),
        ]
    )
    assert [method.title for method in comparison.methods] == ["single", "uniform"]
    single, uniform = gaps(comparison, "LU")
    assert np.allclose(single, [1.0, np.nan, np.nan], equal_nan=True)
    assert np.allclose(uniform, [0.25, 0.0, np.nan], equal_nan=True)
    assert np.allclose(gaps(comparison, MEAN)[1], [(0.25 + 0.4) / 2, (0.0 - 0.1) / 2, np.nan], equal_nan=True)
    assert gap_of(comparison.methods[1], "RL", [1]) == pytest.approx([-0.1])
    assert losses(comparison.methods[1], "RL", "train", [0]) == pytest.approx([0.5])
    assert np.isnan(gap_of(comparison.methods[1], "no task", [0])).all()
