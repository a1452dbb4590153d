"""Test images that a run got right, from the predictions that it left and the labels of the dataset."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtbench.errors import MtbenchError
from mtbench.plan.chosen import load_dataset
from mtbench.plan.spec import Choice
from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import MethodRuns
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus

__all__ = ["right_answers"]

_ROUNDING = 2e-5
"""In % points: less than one answer of the largest test split, more than shares in single precision are off."""


def right_answers(method: MethodRuns, column: str, root: Path) -> dict[int, NDArray[np.float32]]:
    """Return by seed the fraction of a test image's labels that were answered correctly (N,): 0 or 1 for a task.

    Args:
        column: a task's name, or `mtbench.plan.suite.MEAN` for all tasks.
        root: the folder of the data files.

    Returns:
        nothing of runs whose predictions are not there or not of classes, nor where the data are not; nothing either
        where the mean of the shares is not the metric of the record, as with other data, another metric, or a mean over
        tasks of which some images lack a label.
    """
    found = {}
    for run in method.runs:
        if run.record is not None:
            labels = _labels(run.spec.dataset, root)
            right = _right(run, labels, column)
            if right is not None:
                found[run.spec.seed] = right
    return found


def _right(run: RunStatus, labels: Mapping[str, NDArray[np.int64]], column: str) -> NDArray[np.float32] | None:
    assert run.record is not None
    try:
        predicted = RunFolder(run.folder).predictions(run.record)
    except MtbenchError:
        return None
    tasks = list(labels) if column == MEAN else [column]
    if not tasks or not all(task in labels and task in predicted for task in tasks):
        return None
    if any(predicted[task].dtype.kind != "u" or predicted[task].shape != labels[task].shape for task in tasks):
        return None  # not of classes
    truth = np.stack([labels[task] for task in tasks])
    answers = np.stack([predicted[task] for task in tasks])
    defined = (truth >= 0).all(axis=0)
    right: NDArray[np.float32] = (answers == truth)[:, defined].mean(axis=0, dtype=np.float32)
    recorded = run.record.mean() if column == MEAN else _recorded(run.record, column)
    agrees = right.size and abs(100 * right.mean(dtype=np.float64) - recorded) < _ROUNDING
    return right if agrees else None


def _recorded(record: Record, task: str) -> float:
    return next(record.score(info) for info in record.tasks if info.name == task)


@cache
def _labels(dataset: Choice, root: Path) -> Mapping[str, NDArray[np.int64]]:
    """Return the test labels by task, -1 where undefined; nothing if the data are not here or the tasks are not of
    classes."""
    try:
        opened = load_dataset(dataset).open(root)
        if not opened.fingerprint():
            return {}
        split = opened.load("test", validation=False)
    except MtbenchError:
        return {}
    labels = {}
    for index, (task, target) in enumerate(zip(opened.tasks, split.targets, strict=True)):
        if target.is_floating_point() or target.dim() != 1:
            return {}
        values = target.numpy().astype(np.int64)
        values[~split.defined[:, index].numpy()] = -1
        labels[task.name] = values
    return labels
