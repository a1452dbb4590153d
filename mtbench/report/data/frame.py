"""Tidy frames of results and of learning curves."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from mtbench.contract import Metric
from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison
from mtbench.store.record import Record, TaskInfo
from mtbench.store.status import RunStatus

__all__ = ["COLUMNS", "curve_frame", "held_out_split", "tidy_frame"]

COLUMNS = {
    **dict.fromkeys(("dataset", "protocol", "gradient_scale", "method", "network", "balancer", "backbone"), "string"),
    "seed": "Int64",
    **dict.fromkeys(("id", "state", "why", "split", "task", "metric", "unit"), "string"),
    **dict.fromkeys(("higher_is_better", "primary"), "boolean"),
    **dict.fromkeys(("value", "loss"), "Float64"),
    **dict.fromkeys(
        ("count", "epochs", "selected_epoch", "training_examples", "steps", "label_uses", "forward_passes"), "Int64"
    ),
    **dict.fromkeys(("wall_seconds", "cpu_seconds", "training_wall_seconds", "training_cpu_seconds"), "Float64"),
    **dict.fromkeys(("peak_memory", "macs_per_task", "macs_per_input"), "Int64"),
    **dict.fromkeys(("weights", "parameters", "single_weights", "single_parameters"), "Int64"),
    **dict.fromkeys(("device", "torch", "torch_instructions", "onednn_instructions"), "string"),
    "threads": "Int64",
    **dict.fromkeys(("processor", "data", "finished"), "string"),
}
"""Columns of the tidy frame and their types. Units: seconds, bytes (memory), the metric's own (value)."""


def tidy_frame(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """Return one row per run, split, task and metric, and a row ``mean`` per run, split and metric that all tasks
    share.

    Loss and count are of the task, alike in the rows of its metrics; ``primary`` marks the metrics that tables show.
    A run without a record is one row: its state and why, and nothing of splits, tasks and numbers.
    """
    rows = [
        {**_asked(comparison, method.title, run), **row}
        for comparison in comparisons
        for method in comparison.methods
        for run in method.runs
        for row in _rows(comparison, run)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype(COLUMNS)


def curve_frame(comparison: Comparison, task: TaskInfo | None = None) -> pd.DataFrame:
    """Return one row per finished run and point of its curve.

    Columns: ``method``, ``seed``, ``epoch``; ``held_out``, on `held_out_split` the primary metric of the task, or
    without one the mean over tasks of their common metric (the loss, where tasks have unlike metrics);
    ``training_loss``, the mean over the tasks of which a label was used in that epoch.
    """
    split, metric = held_out_split(comparison), task or comparison.common_metric
    rows = [
        {
            "method": method.title,
            "seed": seed,
            "epoch": point.epoch,
            "held_out": _mean(
                result.metrics[metric.metric] if metric else result.loss
                for name, result in point.results[split].items()
                if task is None or name == task.name
            ),
            "training_loss": _mean(point.train_losses.values()),
        }
        for method in comparison.methods
        for seed, record in method.records.items()
        for point in record.curve
    ]
    return pd.DataFrame(rows)


def held_out_split(comparison: Comparison) -> str:
    """Return the split that every point of a curve was measured on: ``val`` if the protocol holds one out, else
    ``test``."""
    return "val" if comparison.protocol.validation else "test"


def _mean(values: Iterable[float]) -> float:
    """Over those that are not NaN."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _asked(comparison: Comparison, method: str, run: RunStatus) -> dict[str, Any]:
    return {
        "dataset": comparison.dataset,
        "protocol": comparison.title,
        "gradient_scale": run.spec.protocol.gradient_scale,
        "method": method,
        "network": str(run.spec.network),
        "balancer": str(run.spec.balancer),
        "backbone": str(run.spec.backbone),
        "seed": run.spec.seed,
        "id": run.spec.id,
        "state": run.state,
        "why": run.why,
    }


def _rows(comparison: Comparison, run: RunStatus) -> Sequence[dict[str, Any]]:
    if run.record is None:
        return [{}]
    cost = _cost(run.record)
    return [{**row, **cost} for split in run.record.results for row in _results(comparison, run.record, split)]


def _results(comparison: Comparison, record: Record, split: str) -> Iterator[dict[str, Any]]:
    for task in record.tasks:
        result = record.results[split][task.name]
        for metric in task.metrics:
            yield {
                "split": split,
                "task": task.name,
                **_of(metric),
                "primary": metric.name == task.metric,
                "value": record.value(task.name, metric.name, split),
                "loss": result.loss,
                "count": result.count,
            }
    for metric in comparison.shared_metrics:
        if all(metric in task.metrics for task in record.tasks):
            yield {
                "split": split,
                "task": MEAN,
                **_of(metric),
                "primary": all(metric.name == task.metric for task in record.tasks),
                "value": record.mean(split, metric.name),
                "loss": sum(result.loss for result in record.results[split].values()) / len(record.results[split]),
            }


def _of(metric: Metric) -> dict[str, Any]:
    return {"metric": metric.name, "unit": metric.unit, "higher_is_better": metric.higher_is_better}


def _cost(record: Record) -> dict[str, Any]:
    return {
        "epochs": record.spec.protocol.epochs,
        "selected_epoch": record.selected_epoch,
        "training_examples": record.training_examples,
        "steps": record.cost.steps,
        "unsolved": record.cost.unsolved,
        "label_uses": record.cost.label_uses,
        "forward_passes": record.cost.forward_passes,
        "wall_seconds": record.cost.wall_seconds,
        "cpu_seconds": record.cost.cpu_seconds,
        "training_wall_seconds": record.cost.training_wall_seconds,
        "training_cpu_seconds": record.cost.training_cpu_seconds,
        "peak_memory": record.cost.peak_memory,
        "macs_per_task": record.cost.macs_per_task,
        "macs_per_input": record.cost.macs_per_input,
        "weights": record.parameters.weights,
        "parameters": record.parameters.total,
        "single_weights": record.parameters.single_weights,
        "single_parameters": record.parameters.single_total,
        "device": record.numerics.device,
        "torch": record.numerics.libraries.get("torch", ""),
        "torch_instructions": record.numerics.torch_instructions,
        "onednn_instructions": record.numerics.onednn_instructions,
        "threads": record.numerics.threads,
        "processor": record.numerics.processor,
        "data": record.fingerprints.data,
        "finished": record.finished,
    }
