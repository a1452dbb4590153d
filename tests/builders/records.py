"""The record of a run that nobody trained."""

from collections.abc import Mapping
from typing import Any

from mtbench.contract import Metric
from mtbench.plan.spec import RunSpec
from mtbench.store.record import FORMAT, Cost, Environment, Fingerprints, Parameters, Record, TaskInfo, TaskResult
from mtbench.store.record.numerics import Numerics

__all__ = ["COST", "NUMERICS", "accuracies", "record_of"]

COST = Cost(
    steps=6,
    label_uses=192,
    forward_passes=96,
    wall_seconds=2.0,
    cpu_seconds=2.0,
    peak_memory=1,
    macs_per_task=1,
    macs_per_input=1,
)
NUMERICS = Numerics(
    libraries={"torch": "2.9.0"},
    torch_instructions="AVX512",
    onednn_instructions="avx512_core",
    threads=1,
    processor="some",
    device="cpu",
    deterministic=True,
)


def accuracies(*names: str) -> tuple[TaskInfo, ...]:
    """Return tasks that are measured by their accuracy."""
    return tuple(
        TaskInfo(name=name, metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)) for name in names
    )


def record_of(
    spec: RunSpec,
    tasks: tuple[TaskInfo, ...],
    results: Mapping[str, Mapping[str, TaskResult]],
    **fields: Any,
) -> Record:
    """Return a record with these results; `fields` are those of `Record` that matter to a test."""
    usual = {
        "format": FORMAT,
        "training_examples": 96,
        "curve": (),
        "cost": COST,
        "parameters": Parameters(weights=3, total=4, single_weights=1, single_total=2),
        "environment": Environment(mtbench="0.1.0", python="3.11.7", platform="Linux"),
        "numerics": NUMERICS,
        "selected_epoch": 1,
        "fingerprints": Fingerprints(numerics=1, code={}, data="toy-1"),
        "files": {},
        "finished": "2026-11-22T00:00:00+00:00",
    }
    return Record(spec=spec, tasks=tasks, results=results, **{**usual, **fields})
