"""Facts about the labels of a dataset in words: frequencies of classes, and the results of constant predictions.

Constant predictions are the majority class and the best constant point; of triplets it is the ceiling of one embedding.
"""

import math
from collections.abc import Iterator
from statistics import mean, median
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtbench.contract import Classification, Task
from mtbench.errors import shortlist
from mtbench.store.record import CEILING
from mtbench.train.diagnostics.ceilings import ceilings
from mtbench.train.diagnostics.constants import constants
from mtbench.train.diagnostics.pointing import best_constant, places_of

if TYPE_CHECKING:
    from mtbench.contract import Dataset

__all__ = ["class_balance", "point_balance", "triplet_balance"]

MANY_TASKS = 12
"""Largest number of tasks that have a line each."""
EASY = 30
"""Fraction in % reached by a constant point, above which the places of a task are too easy."""
MANY_CLASSES = 12
"""The largest number of classes of a task that are listed."""


def class_balance(dataset: "Dataset") -> Iterator[str]:
    """Return lines on the classes of a dataset whose files are ready; none if no task is a classification.

    Per task the training examples with a label, the fractions of the classes among their labels, and the accuracy on
    the test split of the class that is most frequent in training; of many tasks the range and the median.

    Raises:
        DataError: see `Dataset.labels`.
    """
    tasks = [(index, task) for index, task in enumerate(dataset.tasks) if isinstance(task.kind, Classification)]
    if not tasks:
        return
    train, test = (dataset.labels(name, validation=False) for name in ("train", "test"))
    found = constants(dataset.tasks, train, test)
    reached = {task.name: found[task.name].metrics["accuracy"] for _, task in tasks if task.name in found}
    if len(tasks) > MANY_TASKS:
        labeled = (100 * train.defined.double().mean(0)).tolist()
        yield f"{len(tasks)} tasks of {_range([task.kind.output_size for _, task in tasks], 0)} classes"
        yield f"training examples with a label: {_range([labeled[index] for index, _ in tasks])} %"
    else:
        for index, task in tasks:
            yield _line(task, train.targets[index][train.defined[:, index]], len(train))
    if reached:
        rows = ", ".join(f"{name} {accuracy:.2f}" for name, accuracy in reached.items())
        each = rows if len(tasks) <= MANY_TASKS else _range(list(reached.values()))
        whole = f"{each}, mean {mean(reached.values()):.2f}"
        yield f"majority class, accuracy in % on {len(test):,} test examples: {whole}"


def point_balance(dataset: "Dataset") -> Iterator[str]:
    """Return lines on how near the best constant point comes to the points of a dataset; none where it has no points.

    Per task the fraction of visible test points within 10 % of the image's side from it; of many tasks the range and
    the median. A warning names tasks with more than 30 %: their objects are mostly in one place.

    Raises:
        DataError: see `Dataset.labels`.
    """
    if not dataset.points:
        return
    size = (dataset.input_shape[1], dataset.input_shape[2])
    seen, known = (places_of(dataset.labels(name, validation=False), size) for name in ("train", "test"))
    constants = [best_constant(seen[:, index], known[:, index]) for index in range(len(dataset.tasks))]
    found = {
        task.name: 100 * constant.nearness.within_10
        for task, constant in zip(dataset.tasks, constants, strict=True)
        if constant
    }
    if not found:
        return
    rows = ", ".join(f"{name} {reached:.1f}" for name, reached in found.items())
    each = rows if len(found) <= MANY_TASKS else _range(list(found.values()))
    whole = mean(found.values())
    yield f"best constant point, % of visible test points within 10 % of the side: {each}, mean {whole:.1f}"
    easy = [name for name, reached in found.items() if reached > EASY]
    if easy:
        which = shortlist(easy, MANY_TASKS)
        yield f"warning: above {EASY} % for {which}: the places are too similar to test where a network attends"


def triplet_balance(dataset: "Dataset") -> Iterator[str]:
    """Return lines on the triplets of a dataset; none where its examples are no triplets of one task each.

    Their numbers in training and test, and the triplet accuracy that labels set as the ceiling of one embedding for all
    tasks, where the classes of images are known.

    Raises:
        DataError: see `Dataset.labels`.
    """
    if not all(task.kind.one_task_per_example for task in dataset.tasks):
        return
    train, test = (dataset.labels(name, validation=False) for name in ("train", "test"))
    for name, split in (("training", train), ("test", test)):
        yield f"{name} triplets for each task: {_range(split.defined.sum(0).tolist(), 0)}"
    found = {name.removeprefix(CEILING): ceiling.value for name, ceiling in ceilings(dataset.tasks, test).items()}
    known = {name: value for name, value in found.items() if not math.isnan(value)}
    if known:
        rows = ", ".join(f"{name} {value:.1f}" for name, value in known.items())
        each = rows if len(known) <= MANY_TASKS else _range(list(known.values()))
        whole = mean(known.values())
        yield f"ceiling of one embedding for all tasks, triplet accuracy in %: {each}, mean {whole:.1f}"


def _line(task: Task, labels: Tensor, examples: int) -> str:
    counts = torch.bincount(labels, minlength=task.kind.output_size)
    order = counts.argsort(descending=True, stable=True)[:MANY_CLASSES].sort().values.tolist()
    total = max(1, len(labels))
    said = ", ".join(f"{_name(task, each)}: {100 * int(counts[each]) / total:.1f} %" for each in order)
    rest = len(counts) - len(order)
    others = f", {rest} rarer classes: {100 * (1 - int(counts[order].sum()) / total):.1f} %" if rest else ""
    some = (
        f"{len(labels):,} of {examples:,} training examples have a label" if len(labels) < examples else "all labeled"
    )
    return f"{task.name}: {some}; {said}{others}"


def _name(task: Task, label: int) -> str:
    return task.answers[label] if task.answers else str(label)


def _range(values: list[float] | list[int], digits: int = 1) -> str:
    low, middle, high = min(values), median(values), max(values)
    if low == high:
        return f"{low:.{digits}f}"
    return f"{low:.{digits}f} to {high:.{digits}f} (median {middle:.{digits}f})"
