"""Maps in numbers: of each test image the fractions of its classes, the quantiles of its distances, and what is
undefined."""

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Classification, Dataset, Depth, Kind, Normals, Segmentation, Task
from mtbench.errors import UsageError
from mtbench.report.figure.examples import answer

__all__ = ["map_table"]

QUANTILES = {0.0: "least", 0.05: "5 %", 0.25: "25 %", 0.5: "median", 0.75: "75 %", 0.95: "95 %", 1.0: "greatest"}


def map_table(dataset: Dataset, count: int) -> str:
    """Return the targets of the first `count` test images as CSV, a line each, empty where there is no number.

    Of a map of classes the line has the pixels of each class in % of the defined ones, of distances the quantiles over
    defined pixels, of directions the means of x, y and z, and of all of them the undefined pixels in %; of a
    class of the whole image its name.

    Raises:
        UsageError: there is nothing to write of some kind of task.
        DataError: files of the dataset are missing or damaged; those of its images need not be there.
    """
    odd = sorted({type(task.kind).__name__ for task in dataset.tasks if _of_kind(task.kind) is None})
    if odd:
        raise UsageError(
            f"{type(dataset).__name__} has no table of labels: it has tasks of kind {', '.join(odd)}.",
            allowed="Beside maps a table shows classes of images.",
        )
    split = dataset.labels("test", validation=False)
    writer = csv.writer(text := io.StringIO(), lineterminator="\n")
    writer.writerow(["example", *(f"{task.name} {head}".strip() for task in dataset.tasks for head in _heads(task))])
    for row in range(min(count, len(split))):
        cells = []
        for task, target in zip(dataset.tasks, split.targets, strict=True):
            measured = _of_kind(task.kind)
            assert measured is not None
            cells += measured(task, target[row : row + 1])
        writer.writerow([row, *cells])
        if split.release is not None:
            split.release()
    return text.getvalue()


def _of_kind(kind: Kind) -> Callable[[Task, Tensor], list[str]] | None:
    found: dict[type[Kind], Callable[[Task, Tensor], list[str]]] = {
        Classification: _label,
        Segmentation: _classes,
        Depth: _distances,
        Normals: _directions,
    }
    return next((each for known, each in found.items() if isinstance(kind, known)), None)


def _heads(task: Task) -> list[str]:
    kind = task.kind
    if isinstance(kind, Segmentation):
        return ["undefined %", *(f"{answer(task, label)} %" for label in range(kind.classes))]
    if isinstance(kind, Depth):
        unit = f" ({task.unit})" if task.unit else ""
        return ["undefined %", *(f"{name}{unit}" for name in QUANTILES.values())]
    return ["undefined %", *(f"mean {axis}" for axis in "xyz")] if isinstance(kind, Normals) else [""]


def _label(task: Task, target: Tensor) -> list[str]:
    return [answer(task, int(target)) if bool(task.kind.defined(target)) else ""]


def _classes(task: Task, target: Tensor) -> list[str]:
    kind: Any = task.kind
    known = kind.known(target)
    counts = torch.bincount(target[known].long(), minlength=kind.classes)
    defined = int(known.sum())
    return [_undefined(known), *(_written(100 * count / defined if defined else None) for count in counts.tolist())]


def _distances(task: Task, target: Tensor) -> list[str]:
    kind: Any = task.kind
    known = kind.known(target)
    values = target[known].double().numpy()
    found = np.quantile(values, list(QUANTILES)).tolist() if len(values) else [None] * len(QUANTILES)
    return [_undefined(known), *map(_written, found)]


def _directions(task: Task, target: Tensor) -> list[str]:
    kind: Any = task.kind
    known = kind.known(target)
    vectors = target.movedim(1, -1)[known].double()
    units = torch.nn.functional.normalize(vectors, dim=1)
    return [_undefined(known), *map(_written, units.mean(0).tolist() if len(units) else [None] * 3)]


def _undefined(known: Tensor) -> str:
    return _written(100 * float((~known).double().mean()))


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
