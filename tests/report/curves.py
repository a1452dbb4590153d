"""Made-up runs with a curve, on the tasks of the toy ``toy-surfaces``, which has conventions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mtbench.contract import TrainingProtocol
from mtbench.plan.parse import parse_dataset
from mtbench.plan.spec import Choice
from mtbench.store.record import BatchMeans, TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import finished

DATASET = "toy-surfaces"
TASKS = tuple(TaskInfo.of(task) for task in parse_dataset(DATASET).tasks())
PAIRS = tuple((task.name, metric.name) for task in TASKS for metric in task.metrics)
ROW = (60.0, 80.0, 0.4, 0.3, 20.0, 16.0, 40.0, 64.0, 80.0)
"""The toy's constants: nine metrics, of which the third to the sixth are better if lower."""
LOWER = range(2, 6)


def better(percent: float, row: Sequence[float] = ROW) -> tuple[float, ...]:
    """Return every metric better by so many percent."""
    return tuple(value * (1 - percent / 100 if at in LOWER else 1 + percent / 100) for at, value in enumerate(row))


def along(
    method: str,
    seed: int,
    rows: Mapping[int, Sequence[float]],
    *,
    batched: Mapping[tuple[int, bool], Mapping[int, Sequence[float]]] | None = None,
    epochs: int = 0,
    backbone: str = "toy-conv",
    protocol: TrainingProtocol | None = None,
    **changed: Any,
) -> RunStatus:
    """Return a run with the nine metrics after each epoch, the last of which is reported.

    Args:
        batched: likewise means over batches, by their size and whether they weigh by examples.
        epochs: that it was trained for; by default the last in `rows`.
    """
    named = protocol or TrainingProtocol(epochs=epochs or max(rows))
    last = max(rows)
    run = finished(method, seed, _plain(rows[last]), tasks=TASKS, dataset=DATASET, protocol=named, **changed)
    record = run.record
    assert record is not None

    def means(epoch: int) -> tuple[BatchMeans, ...]:
        return tuple(
            BatchMeans(size=size, by_examples=weighed, metrics=_plain(each[epoch]))
            for (size, weighed), each in (batched or {}).items()
            if epoch in each
        )

    curve = tuple(
        replace(record.curve[0], epoch=epoch, results={"test": _results(row)}, batch_means=means(epoch))
        for epoch, row in sorted(rows.items())
    )
    spec = replace(run.spec, backbone=Choice(name=backbone))
    record = replace(record, curve=curve, batch_means=means(last), spec=spec)
    return replace(run, spec=spec, record=record)


def _plain(row: Sequence[float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {task.name: {} for task in TASKS}
    for (task, metric), value in zip(PAIRS, row, strict=True):
        found[task][metric] = value
    return found


def _results(row: Sequence[float]) -> dict[str, TaskResult]:
    return {task: TaskResult(loss=0.25, count=100, metrics=metrics) for task, metrics in _plain(row).items()}
