"""A run as the store sees it: a spec that was planned, and a record such as training makes."""

import pytest

from mtbench.contract import Metric
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.fingerprint import fingerprints
from mtbench.store.record import (
    FORMAT,
    Cost,
    CurvePoint,
    Environment,
    Parameters,
    Record,
    TaskInfo,
    TaskResult,
)
from mtbench.store.record.numerics import Numerics


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
    return Record(
        format=FORMAT,
        spec=spec,
        tasks=(TaskInfo(name="upper", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),),
        training_examples=96,
        results=curve[-1].results,
        curve=curve,
        cost=Cost(
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
        ),
        parameters=Parameters(weights=3, total=4, single_weights=1, single_total=2),
        environment=Environment(mtbench="0.1.0", python="3.11.7", platform="Linux"),
        numerics=Numerics(
            libraries={"torch": "2.14.0"},
            torch_instructions="AVX512",
            onednn_instructions="avx512_core",
            threads=1,
            processor="some",
            device="cpu",
            deterministic=True,
        ),
        selected_epoch=3,
        fingerprints=fingerprints(spec, "toy-1"),
        files={},
        finished="2026-11-22T00:00:00+00:00",
    )
