"""A page of test images, beside each the truth of every task."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mtbench.contract import Classification, Dataset, Split, Task
from mtbench.errors import UsageError
from mtbench.report.figure.examples import caption, images_of, writing
from mtbench.report.figure.maps.views import KINDS, View, keys_of, view_of
from mtbench.report.figure.sheet import COLUMNS, Line, Panel, Sheet, draw
from mtbench.report.figure.style import paper_style
from mtbench.report.text import brief

__all__ = ["COUNT", "has_maps", "map_page", "sheet_of"]

COUNT, MOST = 6, 60
"""Images on a page by default and at most: a page of more is too tall to be opened."""
TASKS = COLUMNS - 1
"""Tasks in a line with the image."""
WORDS = 30
"""Characters above a picture."""


def has_maps(tasks: Sequence[Task]) -> bool:
    """Return True if there are pictures of the targets of any task."""
    return any(isinstance(task.kind, KINDS) for task in tasks)


def map_page(dataset: Dataset, path: Path, count: int = COUNT) -> None:
    """Write the first `count` test images as PNG, with the truth of every task beside each, and below them all what the
    colors mean. Classes of whole images stand below an image.

    Raises:
        UsageError: there are no pictures of some tasks, or the page cannot be written.
        DataError: files of the dataset are missing or damaged.
    """
    if count > MOST:
        raise UsageError(
            f"{count} images with maps were asked for.",
            mend="Choose fewer with --count.",
            allowed=f"Allowed: up to {MOST}.",
        )
    odd = sorted({type(task.kind).__name__ for task in dataset.tasks if not _is_shown(task)})
    split = None if odd else dataset.load("test", validation=False).first(count)
    images = None if split is None else images_of(split)
    if split is None or images is None:
        raise UsageError(
            f"{type(dataset).__name__} has no page of samples.",
            allowed="A page shows images with classes, or with maps of classes, distances or directions.",
            where=f"It has tasks of kind {', '.join(odd)}." if odd else "Its examples are no single images.",
        )
    figure = draw(sheet_of(dataset.tasks, split, images))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with paper_style():
            figure.savefig(path, format="png", metadata={"Software": None})


def _is_shown(task: Task) -> bool:
    return isinstance(task.kind, (*KINDS, Classification))


def sheet_of(tasks: tuple[Task, ...], split: Split, images: np.ndarray) -> Sheet:
    """Return the sheet of some examples.

    Args:
        images: (N, H, W) or (N, H, W, 3), their images.
    """
    batch = split.batch(torch.arange(len(split)))
    maps = [index for index, task in enumerate(tasks) if isinstance(task.kind, KINDS)]
    views = [view_of(tasks[index], batch.targets[index]) for index in maps]
    labels = [index for index in range(len(tasks)) if index not in maps]
    words = [""] * len(split)
    if labels:
        of_images = dataclasses.replace(
            split, targets=tuple(split.targets[index] for index in labels), defined=split.defined[:, labels]
        )
        words = [caption(tuple(tasks[index] for index in labels), of_images, row) for row in range(len(split))]
    lines = []
    colored = np.broadcast_to(images.reshape(*images.shape[:3], -1), (*images.shape[:3], 3))
    for row, image in enumerate(colored):
        below = tuple(words[row].splitlines())
        first = Panel(image=image, above=f"test image {row}", below=below)
        lines += _lines(first, views, row)
    return Sheet(
        title="Test images, beside each the truth of each task",
        lines=lines,
        columns=1 + min(TASKS, len(views)),
        keys=keys_of(views),
    )


def _lines(first: Panel, views: Sequence[View], row: int) -> list[Line]:
    """Return an image with its maps; those that find no room beside it stand below."""
    lines = []
    for start in range(0, len(views), TASKS):
        panels: list[Panel | None] = [None if start else first]
        for view in views[start : start + TASKS]:
            panels.append(Panel(image=view.truth_picture(row), above="" if row else brief(view.task.name, WORDS)))
        lines.append(Line(panels=panels))
    return lines
