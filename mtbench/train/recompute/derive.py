"""Metrics of the test split from stored predictions, by the code that evaluates networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Kind, Task
from mtbench.store.record import BatchMeans, Constant, Measurement
from mtbench.train.diagnostics.ceilings import ceilings
from mtbench.train.diagnostics.constants import constants
from mtbench.train.recompute.labels import Labels
from mtbench.train.scores import Scores

__all__ = ["Derived", "Scored", "confusion", "derive"]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The number of labels of a task on the test split, and its metrics by name."""

    count: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Derived:
    """Everything in a record that follows from its stored predictions and the labels.

    Attributes:
        tasks: the tasks of the dataset, with the metrics that their kinds define today.
        results: results on the test split by task; without tasks of which nothing is stored.
        partial: names of tasks of which only a part of the predictions is stored, so that a metric may be NaN here.
        batch_means: means over batches; empty unless every task is in `results`.
        constants: results of constant predictions.
        ceilings: upper bounds of one embedding.
        misfits: the reason in a sentence for each task whose stored predictions cannot be those of this test split.
    """

    tasks: tuple[Task, ...]
    results: Mapping[str, Scored]
    partial: frozenset[str]
    batch_means: tuple[BatchMeans, ...]
    constants: Mapping[str, Constant]
    ceilings: Mapping[str, Measurement]
    misfits: Mapping[str, str]


def derive(labels: Labels, stored: Mapping[str, NDArray[Any]]) -> Derived:
    """Return what follows from the stored predictions (N, ...) of a run, by task, and the labels for it."""
    tasks = labels.tasks
    misfits = {task.name: why for task in tasks if (why := _misfit(task, stored, len(labels.test)))}
    used = [
        index
        for index, task in enumerate(tasks)
        if task.name not in misfits and (task.name in stored or not labels.test.defined[:, index].any())
    ]
    scores = Scores(tasks, len(labels.test), labels.batches if len(used) == len(tasks) else ())
    arrays = {index: torch.from_numpy(stored[tasks[index].name]) for index in used if tasks[index].name in stored}
    for rows in labels.parts:
        batch = labels.test.batch(rows)
        for index, array in list(arrays.items()):
            places = batch.used_rows[index]
            if not len(places):
                continue
            try:
                scores.add(index, rows[places], array[rows[places]], batch.targets[index][places])
            except (IndexError, RuntimeError, ValueError) as cause:  # as for a class that does not exist
                misfits[tasks[index].name] = f"cannot be scored: {str(cause).partition(chr(10))[0]}"
                del arrays[index]
    metrics = scores.metrics()
    return Derived(
        tasks=tasks,
        results={
            tasks[index].name: Scored(count=scores.counts[index], metrics=metrics[index])
            for index in used
            if tasks[index].name not in misfits
        },
        partial=frozenset(task.name for task in tasks if type(task.kind).stored is not Kind.stored),
        batch_means=() if misfits else scores.batch_means(),
        constants=constants(tasks, labels.train, labels.test),
        ceilings=ceilings(tasks, labels.test),
        misfits=misfits,
    )


def confusion(labels: Labels, stored: Mapping[str, NDArray[Any]], index: int) -> Tensor | None:
    """Return the counts (C, C) int64 of test examples or pixels by true class (row) and predicted class of a task.

    Pixels and examples without a label are left out. None if the task is not of classes, or has no predictions here.
    """
    task = labels.tasks[index]
    classes = task.kind.output_size
    if task.kind.stored_as.is_floating_point or task.name not in stored or _misfit(task, stored, len(labels.test)):
        return None
    array = torch.from_numpy(stored[task.name])
    counts = torch.zeros(classes * classes, dtype=torch.int64)
    for rows in labels.parts:
        batch = labels.test.batch(rows)
        places = batch.used_rows[index]
        true, predicted = batch.targets[index][places], array[rows[places]].long()
        if true.is_floating_point() or true.shape != predicted.shape:
            return None
        known = (true >= 0) & (true < classes) & (predicted >= 0) & (predicted < classes)
        counts += torch.bincount((true * classes + predicted)[known], minlength=len(counts))
    return counts.view(classes, classes)


def _misfit(task: Task, stored: Mapping[str, NDArray[Any]], count: int) -> str:
    """Return why stored predictions cannot be those of a task, as a clause; empty if they may be."""
    if task.name not in stored:
        return ""
    array = stored[task.name]
    dtype = str(task.kind.stored_as).removeprefix("torch.")
    if not array.ndim or len(array) != count:
        return f"are of shape {array.shape}, and the test split has {count} examples"
    return f"are {array.dtype}, and the kind of the task stores {dtype}" if str(array.dtype) != dtype else ""
