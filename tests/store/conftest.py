"""A run as the store sees it: a spec that was planned, and a record such as training makes."""

import pytest

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.fingerprint import fingerprints
from mtbench.store.record import (
    Cost,
    CurvePoint,
    Record,
    TaskResult,
)
from tests.builders.records import accuracies, record_of


@pytest.fixture
def spec() -> RunSpec:
    return plan(Request(methods=["moo"], datasets=["toy-all"], settings={}, seeds=[0]))[0]


@pytest.fixture
def curve() -> tuple[CurvePoint, ...]:
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    return tuple(
        CurvePoint(epoch=n, steps=6 * n, label_uses=192 * n, train_losses={"upper": 1 / n}, results=results)
        for n in (1, 2, 3)
    )


@pytest.fixture
def record(spec: RunSpec, curve: tuple[CurvePoint, ...]) -> Record:
    cost = Cost(
        steps=18,
        label_uses=576,
        forward_passes=288,
        wall_seconds=1.5,
        cpu_seconds=1.25,
        training_wall_seconds=1.0,
        training_cpu_seconds=0.75,
        peak_memory=1 << 20,
        macs_per_task=10,
        macs_per_input=20,
    )
    marks = fingerprints(spec, "toy-1")
    results = curve[-1].results
    return record_of(spec, accuracies("upper"), results, curve=curve, cost=cost, selected_epoch=3, fingerprints=marks)
