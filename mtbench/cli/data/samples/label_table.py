"""Labels as a table of text, which needs no images."""

import csv
import io
from collections.abc import Iterator, Sequence

import torch

from mtbench.cli.data.samples.maps.page import has_maps
from mtbench.cli.data.samples.maps.table import map_table
from mtbench.cli.data.samples.page import COUNT, ROLES
from mtbench.contract import Dataset, Split, Task
from mtbench.errors import UsageError
from mtbench.report.figure.examples import answer

__all__ = ["label_table"]


def label_table(dataset: Dataset, count: int | None = None) -> str:
    """Return the labels of the first `count` test examples as CSV, a line each, empty where a label is undefined.

    Of maps see `mtbench.cli.data.samples.maps.table.map_table`.

    Of triplets a line has the task, and of anchor, positive and negative the number of the image and its class.

    Raises:
        UsageError: labels are no single values, and no maps that are known.
        DataError: the dataset's files are missing or damaged; those of its images need not be there.
    """
    count = count or COUNT
    if has_maps(dataset.tasks):
        return map_table(dataset, count)
    split = dataset.labels("test", validation=False)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if split.classes is not None and split.members is not None:
        writer.writerow(["example", "task", *(word for role in ROLES for word in (role, f"{role} class"))])
        writer.writerows(_triplets(dataset.tasks, split, count))
        return text.getvalue()
    for task, target in zip(dataset.tasks, split.targets, strict=True):
        if target.dim() != 1:
            raise UsageError(
                f"labels of task '{task.name}' have the shape {tuple(target.shape[1:])}.",
                allowed="A table shows labels that are one value an example.",
            )
    writer.writerow(["example", *(task.name for task in dataset.tasks)])
    columns = [target[:count] for target in split.targets]
    for row, defined in enumerate(split.defined[:count].tolist()):
        cells = (_cell(task, column[row]) for task, column in zip(dataset.tasks, columns, strict=True))
        writer.writerow([row, *(cell if known else "" for cell, known in zip(cells, defined, strict=True))])
    return text.getvalue()


def _triplets(tasks: Sequence[Task], split: Split, count: int) -> Iterator[list[str]]:
    assert split.members is not None
    assert split.classes is not None
    for row, images in enumerate(split.members[:count].tolist()):
        for index in split.defined[row].nonzero().flatten().tolist():
            cells = [(str(image), _cell(tasks[index], split.classes[image, index])) for image in images]
            yield [str(row), tasks[index].name, *(cell for pair in cells for cell in pair)]


def _cell(task: Task, label: torch.Tensor) -> str:
    if label.is_floating_point():
        return f"{float(label):g}"
    return answer(task, int(label)) if int(label) >= 0 else ""
