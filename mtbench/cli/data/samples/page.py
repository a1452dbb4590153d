"""A page of test images with their labels."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from mtbench.cli.data.samples.maps.page import has_maps, map_page
from mtbench.contract import Classification, Dataset, Split, Task
from mtbench.errors import UsageError
from mtbench.report.figure.examples import answer, caption, images_of, writing

__all__ = ["COUNT", "ROLES", "Cells", "one_by_one", "sample_page", "triplet_cells"]

COUNT = 24
"""Images on a page by default, unless they have maps."""

COLUMNS = 6
CELL = 1.7  # inches, the side of an image on the page
LINE = 0.16  # inches, the height of a line of text
TRIPLETS = 20  # tasks of which a triplet is shown
ROLES = ("anchor", "positive", "negative")
QUESTIONS = 60  # tasks whose questions are listed
FONT: dict[str, Any] = {"fontsize": 7, "family": "monospace"}
ACROSS = 28  # characters of that font that are as wide as an image


def sample_page(dataset: Dataset, path: Path, count: int | None = None) -> None:
    """Write the first `count` test images with the label of every task below each, as PNG; of maps see `map_page`.

    Of triplets these are images of the first ones, with the class of each image for every task. Below them is the first
    triplet of each task, of up to `TRIPLETS` tasks.

    What the dataset marks in its images has a cross, and the points that labels are about have a circle. Below the
    images are the tasks' questions, if there are any and not too many.

    Raises:
        UsageError: the dataset is not made of images with classes, or the page cannot be written.
        DataError: its files are missing or damaged.
    """
    if has_maps(dataset.tasks):
        return map_page(dataset, path) if count is None else map_page(dataset, path, count)
    test = dataset.load("test", validation=False)
    split = test.first(count or COUNT)
    in_triplets = split.classes is not None and split.members is not None
    if in_triplets:
        split = one_by_one(split)
    images = images_of(split)
    if images is None or not (in_triplets or all(isinstance(task.kind, Classification) for task in dataset.tasks)):
        raise UsageError(
            f"{type(dataset).__name__} has no page of samples.",
            allowed="A page shows images with classes, one image an example.",
        )
    captions = [caption(dataset.tasks, split, row) for row in range(len(split))]
    marks = None if in_triplets else dataset.marks("test", len(split))
    columns = min(COLUMNS, len(captions))
    shown = [Cells(images=images, captions=captions)]
    if in_triplets:
        shown.append(triplet_cells(dataset.tasks, test))
        columns = COLUMNS
    heights = [cells.rows(columns) * (CELL + cells.lines * LINE) for cells in shown]
    if questions := _questions(dataset.tasks):
        heights.append((len(questions) + 1) * 0.75 * LINE)
    figure = Figure(figsize=(columns * CELL, sum(heights)), layout="constrained")
    areas = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for area, cells in zip(areas, shown, strict=False):
        for row, axes in enumerate(cells.draw(area, columns)):
            if marks is not None:
                axes.plot(*marks[row].T.numpy(), "+", color="white", markersize=5, markeredgewidth=0.8)
            if split.points is not None:
                points = split.points[row].T.numpy()
                axes.plot(*points, "o", color="none", markeredgecolor="white", markersize=9, markeredgewidth=0.8)
    if questions:
        areas[-1].text(0.01, 1, "\n".join(questions), va="top", **FONT)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", dpi=150)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Images (N, H, W) or (N, H, W, 3) in [0, 1] with a caption below each."""

    images: np.ndarray
    captions: Sequence[str]

    @property
    def lines(self) -> int:
        """Lines of the longest caption, and an empty one."""
        return 1 + max(text.count("\n") + 1 for text in self.captions)

    def rows(self, columns: int) -> int:
        """Return the number of rows on the page."""
        return math.ceil(len(self.captions) / columns)

    def draw(self, area: SubFigure, columns: int) -> Iterator[Axes]:
        """Draw the images in rows, and yield the axes of each."""
        longest = max(len(line) for text in self.captions for line in text.splitlines())
        font = FONT | {"fontsize": 7 * min(1, ACROSS / longest)}
        for row, (image, text) in enumerate(zip(self.images, self.captions, strict=True)):
            axes = area.add_subplot(self.rows(columns), columns, row + 1)
            axes.imshow(image, cmap="gray" if image.ndim == 2 else None, vmin=0, vmax=1, interpolation="nearest")
            axes.autoscale(False)
            axes.set_xlabel(text, **font)
            axes.set_xticks([])
            axes.set_yticks([])
            yield axes


def one_by_one(split: Split) -> Split:
    """Return as many images of a split of triplets as it has triplets, each once, with its class for every task."""
    assert split.members is not None
    assert split.classes is not None
    assert isinstance(split.inputs, Tensor)
    chosen = torch.tensor([*dict.fromkeys(split.members.flatten().tolist())][: len(split)])
    classes = split.classes[chosen]
    return Split(inputs=split.inputs[chosen], targets=tuple(classes.T), defined=classes >= 0)


def triplet_cells(tasks: tuple[Task, ...], split: Split) -> Cells:
    """Return the first triplet of each of the first tasks."""
    assert split.members is not None
    assert split.classes is not None
    assert isinstance(split.inputs, Tensor)
    chosen, captions = [], []
    for index, task in enumerate(tasks[:TRIPLETS]):
        for row in split.defined[:, index].nonzero().flatten().tolist()[:1]:
            for role, image in zip(ROLES, split.members[row].tolist(), strict=True):
                chosen.append(image)
                label = int(split.classes[image, index])
                captions.append(f"{task.name}: {role}\n{answer(task, label) if label >= 0 else 'class unknown'}")
    images = images_of(Split(inputs=split.inputs[chosen], targets=(), defined=torch.empty(len(chosen), 0)))
    assert images is not None
    return Cells(images=images, captions=captions)


def _questions(tasks: tuple[Task, ...]) -> list[str]:
    """Return the tasks' questions, a line each; none if they are too many to be read."""
    asked = [task for task in tasks if task.question]
    width = max((len(task.name) for task in asked), default=0)
    return [f"{task.name:{width}}  {task.question}" for task in asked] if len(asked) <= QUESTIONS else []
