"""Runs whose curves are written by hand, and what trackers hold of them, read by programs that are not theirs."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.record import CurvePoint, TaskResult, WeightRange
from mtbench.store.record.sealed import strict_json
from mtbench.store.run.folder import RunFolder

__all__ = ["READERS", "Held", "point", "spec_of", "write_curve", "written"]

Held: TypeAlias = dict[str, dict[str, list[tuple[int, float]]]]
"""Epochs and values by the key of the run and the name of the value."""


def spec_of(seed: int = 0) -> RunSpec:
    """Return the spec of a run that nobody trains."""
    (spec,) = plan(Request(methods=["uniform"], datasets=["toy2"], settings={"epochs": "9"}, seeds=[seed]))
    return spec


def point(epoch: int, accuracy: float = 50.0, loss: float = 0.1, weight: float | None = None) -> CurvePoint:
    """Return a point of a curve of one task, ``left``."""
    weights = None if weight is None else {"left": WeightRange(mean=weight, low=0.25, high=0.75)}
    result = TaskResult(loss=2 * loss, count=10, metrics={"accuracy": accuracy + epoch})
    return CurvePoint(
        epoch=epoch,
        steps=3 * epoch,
        label_uses=30 * epoch,
        train_losses={"left": loss / epoch},
        results={"test": {"left": result}},
        weights=weights,
    )


def write_curve(results: Path, spec: RunSpec, points: Sequence[CurvePoint]) -> Path:
    """Write the spec and the curve of a run, and return its folder."""
    run = RunFolder(results / spec.folder)
    run.write_spec(spec)
    lines = [strict_json(asdict(each), sort_keys=True) + "\n" for each in points]
    beside = run.path / "curve.new"
    beside.write_text("".join(lines))
    beside.replace(run.path / "curve.jsonl")
    return run.path


def written(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the finite numbers in the ``curve.jsonl`` of a run, by the names that they are sent under."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in map(json.loads, (folder / "curve.jsonl").read_text().splitlines()):
        numbers: Mapping[str, Any] = {f"training/{task}/loss": loss for task, loss in line["train_losses"].items()}
        for split, results in line["results"].items():
            for task, result in results.items():
                numbers = {**numbers, f"{split}/{task}/loss": result["loss"]}
                numbers = {**numbers, **{f"{split}/{task}/{name}": x for name, x in result["metrics"].items()}}
        for task, weight in (line["weights"] or {}).items():
            numbers = {**numbers, **{f"weights/{task}/{name}": x for name, x in weight.items()}}
        for name, number in numbers.items():
            if number is not None:
                found.setdefault(name, []).append((line["epoch"], number))
    return found


def of_tensorboard(place: Path) -> Held:
    """Return what TensorBoard's own reader finds."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    held: Held = {}
    for folder in sorted({path.parent for path in place.rglob("events.out.tfevents.*")}):
        reader = EventAccumulator(str(folder))
        reader.Reload()
        key = "-".join(folder.name.split("-")[2:])
        tags = reader.Tags()["scalars"]
        held[key] = {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in tags}
    return held


def of_mlflow(place: Path) -> Held:
    """Return what SQLite finds in the database."""
    held: Held = {}
    with sqlite3.connect(place / "mlflow.db") as database:
        rows = database.execute(
            "select tags.value, metrics.key, step, metrics.value from metrics join tags using (run_uuid) "
            "where tags.key = 'mtbench.run' and metrics.key <> 'epoch' order by step"
        )
        for key, name, step, value in rows:
            held.setdefault(key, {}).setdefault(name, []).append((step, value))
    database.close()
    return held


def of_csv(place: Path) -> Held:
    """Return what is in CSV files."""
    held: Held = {}
    for path in place.glob("*.csv"):
        for line in path.read_text().splitlines():
            epoch, name, value = line.split(",")
            held.setdefault(path.stem, {}).setdefault(name, []).append((int(epoch), float(value)))
    return held


READERS = {"tensorboard": of_tensorboard, "mlflow": of_mlflow, "toy-csv": of_csv}
"""Readers by the name of the tracker."""
