"""A page of test images with their labels, to see with one's own eyes what a dataset is."""

import math
import textwrap
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from mtbench.contract import Classification, Dataset, Split, Task
from mtbench.errors import UsageError

__all__ = ["caption", "sample_page"]

COLUMNS = 6
CELL = 1.7  # inches, the side of an image on the page
LINE = 0.16  # inches, the height of a line of a caption
WIDTH = 22  # characters, of a line of a caption


def sample_page(dataset: Dataset, path: Path, count: int = 24) -> None:
    """Write the first `count` test images with the label of every task below each, as PNG.

    Raises:
        UsageError: the dataset is not made of images with classes.
        DataError: its files are missing or damaged.
    """
    split = dataset.load("test", validation=False).first(count)
    images = _images(split)
    if images is None or not all(isinstance(task.kind, Classification) for task in dataset.tasks):
        raise UsageError(
            f"{type(dataset).__name__} has no page of samples.",
            allowed="A page shows images with classes, one image an example.",
        )
    captions = [caption(dataset.tasks, split, row) for row in range(len(split))]
    columns = min(COLUMNS, len(captions))
    rows = math.ceil(len(captions) / columns)
    lines = 1 + max(text.count("\n") + 1 for text in captions)
    figure = Figure(figsize=(columns * CELL, rows * (CELL + lines * LINE)), layout="constrained")
    for row, text in enumerate(captions):
        axes = figure.add_subplot(rows, columns, row + 1)
        axes.imshow(images[row], cmap="gray" if images.ndim == 3 else None, vmin=0, vmax=1, interpolation="nearest")
        axes.set_xlabel(text, fontsize=7, family="monospace")
        axes.set_xticks([])
        axes.set_yticks([])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=150)


def caption(tasks: tuple[Task, ...], split: Split, row: int) -> str:
    """The defined labels of an example, in lines: ``LU 5  RL 0``."""
    labels = [
        f"{task.name}\N{NO-BREAK SPACE}{int(target[row])}"
        for task, target, defined in zip(tasks, split.targets, split.defined[row], strict=True)
        if defined
    ]
    return textwrap.fill("  ".join(labels), WIDTH) or "(no label)"


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
