"""A page of test images with their labels, to see with one's own eyes what a dataset is."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from mtbench.contract import Classification, Dataset, Split, Task
from mtbench.errors import UsageError

__all__ = ["ROLES", "Cells", "answer", "caption", "one_by_one", "sample_page", "triplet_cells", "writing"]

COLUMNS = 6
CELL = 1.7  # inches, the side of an image on the page
LINE = 0.16  # inches, the height of a line of text
WIDTH = 22  # characters, of a line of a caption
LABELS = 12  # of an example, in its caption
TRIPLETS = 20  # tasks of which a triplet is shown
ROLES = ("anchor", "positive", "negative")
QUESTIONS = 60  # tasks whose questions are listed
FONT: dict[str, Any] = {"fontsize": 7, "family": "monospace"}
ACROSS = 28  # characters of that font that are as wide as an image


def sample_page(dataset: Dataset, path: Path, count: int = 24) -> None:
    """Write the first `count` test images with the label of every task below each, as PNG.

    Of triplets these are images of the first ones, with the class of each image for every task. Below them is the first
    triplet of each task, of up to `TRIPLETS` tasks.

    What the dataset marks in its images has a cross, and the points that labels are about have a circle. Below the
    images are the tasks' questions, if there are any and not too many.

    Raises:
        UsageError: the dataset is not made of images with classes, or the page cannot be written.
        DataError: its files are missing or damaged.
    """
    test = dataset.load("test", validation=False)
    split = test.first(count)
    in_triplets = split.classes is not None and split.members is not None
    if in_triplets:
        split = one_by_one(split)
    images = _images(split)
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within the block a file is written: an OSError becomes a UsageError that names it."""
    try:
        yield
    except OSError as cause:
        raise UsageError(
            f"{path} cannot be written: {cause.strerror or cause}.", mend="Choose another file with --out."
        ) from None


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
    images = _images(Split(inputs=split.inputs[chosen], targets=(), defined=torch.empty(len(chosen), 0)))
    assert images is not None
    return Cells(images=images, captions=captions)


def caption(tasks: tuple[Task, ...], split: Split, row: int) -> str:
    """The defined labels of an example, in lines: ``LU 5  RL 0``; each in a line where one is long, or might be.

    Of many more than `LABELS` the first so many are shown.
    """
    labels = [
        f"{task.name}\N{NO-BREAK SPACE}{answer(task, int(target[row]))}"
        for task, target, defined in zip(tasks, split.targets, split.defined[row], strict=True)
        if defined
    ]
    if len(labels) > LABELS + 1:
        labels[LABELS:] = [f"and\N{NO-BREAK SPACE}{len(labels) - LABELS}\N{NO-BREAK SPACE}more"]
    longest = [len(f"{task.name} {name}") for task in tasks[:LABELS] for name in task.answers]
    if max([*map(len, labels), *longest], default=0) > WIDTH:  # likewise for all examples
        return "\n".join(labels) or "(no label)"
    return textwrap.fill("  ".join(labels), WIDTH, break_on_hyphens=False) or "(no label)"


def answer(task: Task, label: int) -> str:
    """The name of a class, or its number where classes have no names."""
    return task.answers[label] if task.answers else str(label)


def _questions(tasks: tuple[Task, ...]) -> list[str]:
    """The tasks' questions, a line each; none if they are too many to be read."""
    asked = [task for task in tasks if task.question]
    width = max((len(task.name) for task in asked), default=0)
    return [f"{task.name:{width}}  {task.question}" for task in asked] if len(asked) <= QUESTIONS else []


def _images(split: Split) -> np.ndarray | None:
    """(N, H, W) or (N, H, W, 3) in [0, 1], to which floats are stretched; None if an example is no image."""
    inputs = split.inputs
    if not isinstance(inputs, Tensor) or inputs.ndim != 4 or inputs.shape[1] not in (1, 3):
        return None
    if split.members is not None:
        if split.members.shape[1] > 1:
            return None
        inputs = inputs[split.members[:, 0]]
    if inputs.dtype == torch.uint8:
        low, high = inputs.new_tensor(0), inputs.new_tensor(255)
    else:
        low, high = inputs.aminmax()
    scaled = (inputs - low) / (high - low).clamp(min=1e-12)
    return scaled.permute(0, 2, 3, 1).squeeze(-1).numpy()
