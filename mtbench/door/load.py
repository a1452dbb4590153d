"""Results as tidy frames."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from mtbench.door.contents import read_and_warn
from mtbench.door.given import Folder, Folders
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.frame import tidy_frame
from mtbench.store.record import CurvePoint, Record

__all__ = ["CURVE_COLUMNS", "curves", "load"]

CURVE_COLUMNS = {
    **dict.fromkeys(("dataset", "protocol", "method"), "string"),
    "seed": "Int64",
    "id": "string",
    "epoch": "Int64",
    **dict.fromkeys(("split", "task", "metric", "unit"), "string"),
    "higher_is_better": "boolean",
    **dict.fromkeys(("value", "loss", "training_loss"), "Float64"),
}
"""Columns of the frame of learning curves and their types."""


def load(results: Folders = "results/local", *, data_root: Folder | None = None) -> pd.DataFrame:
    """Return the results of finished and unfinished runs as a tidy frame: one row per run, split, task and metric.

    A metric that all tasks share has one more row per run and split, of the task ``mean``. A run without a record is
    one row, with its ``state`` and ``why``. Trials of a search are left out: settings were chosen by them.

    Args:
        results: a results folder or a pack, or several. A run that lies in two of them counts once.
        data_root: the folder of the data files, by which stale runs are recognized; by default that of the environment
            variable MTBENCH_DATA, or the platform's folder for user data.

    Returns:
        the frame. Its columns are what was asked (``dataset``, ``protocol``, ``method``, ``seed``), the result
        (``split``, ``task``, ``metric``, ``unit``, ``higher_is_better``, ``primary``, ``value``, ``loss``), and the
        cost in steps, seconds, bytes and multiply-accumulates.

    Raises:
        UsageError: there are no runs.
        StoreError: a folder cannot be read, or one run has two different records.

    Example:
        >>> frame = mtbench.load("results/local")
        >>> test = frame[(frame.split == "test") & frame.primary & (frame.task != "mean")]
        >>> test.groupby(["method", "task"])["value"].count().to_dict()
        {('moo', 'L1'): 2, ('moo', 'L2'): 2, ('uniform', 'L1'): 2, ('uniform', 'L2'): 2}
    """
    return tidy_frame(read_and_warn(results, data_root).comparisons())


def curves(results: Folders = "results/local", *, data_root: Folder | None = None) -> pd.DataFrame:
    """Return the learning curves of finished runs as a tidy frame: one row per run, epoch, split, task and metric.

    Args:
        results: a results folder or a pack, or several.
        data_root: see `mtbench.load`.

    Returns:
        the frame. ``value`` is the metric and ``loss`` the mean loss on the split after that epoch; ``training_loss``
        is the mean over the labels that the epoch was trained with, missing for a task without any. The losses are of
        the task, alike in the rows of its metrics.

    Raises:
        UsageError: there are no runs.
        StoreError: a folder cannot be read, or one run has two different records.

    Example:
        >>> frame = mtbench.curves("results/local")
        >>> last = frame[(frame.split == "test") & (frame.epoch == 1) & (frame.metric == "objective")]
        >>> last.groupby(["method", "task"])["training_loss"].count().to_dict()
        {('moo', 'L1'): 2, ('moo', 'L2'): 2, ('uniform', 'L1'): 2, ('uniform', 'L2'): 2}
    """
    rows = [row for comparison in read_and_warn(results, data_root).comparisons() for row in _curves(comparison)]
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS), dtype=object).astype(CURVE_COLUMNS)


def _curves(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for method in comparison.methods:
        for seed, record in method.records.items():
            run = {
                "dataset": comparison.dataset,
                "protocol": comparison.title,
                "method": method.title,
                "seed": seed,
                "id": record.spec.id,
            }
            yield from ({**run, "epoch": point.epoch, **row} for point in record.curve for row in _rows(record, point))


def _rows(record: Record, point: CurvePoint) -> Iterator[dict[str, Any]]:
    for split, results in point.results.items():
        for task in record.tasks:
            if (result := results.get(task.name)) is None:
                continue
            for metric in task.metrics:
                yield {
                    "split": split,
                    "task": task.name,
                    "metric": metric.name,
                    "unit": metric.unit,
                    "higher_is_better": metric.higher_is_better,
                    "value": result.metrics.get(metric.name),
                    "loss": result.loss,
                    "training_loss": point.train_losses.get(task.name),
                }
