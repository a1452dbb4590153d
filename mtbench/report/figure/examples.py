"""Examples of a dataset as pictures and in words, and the files that pages of them are written to."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mtbench.contract import Split, Task
from mtbench.errors import UsageError

__all__ = ["LABELS", "answer", "caption", "images_of", "writing"]

WIDTH = 22  # characters, of a line of a caption
LABELS = 12  # of an example, in its caption


def caption(tasks: tuple[Task, ...], split: Split, row: int) -> str:
    """Return the defined labels of an example, in lines: ``LU 5  RL 0``; each in a line where one is long, or might be.

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
    """Return the name of a class, or its number where classes have no names."""
    return task.answers[label] if task.answers else str(label)


def images_of(split: Split) -> np.ndarray | None:
    """Return (N, H, W) or (N, H, W, 3) in [0, 1], to which floats are stretched; None if an example is no image."""
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within the block a file is written: an OSError becomes a UsageError that names it."""
    try:
        yield
    except OSError as cause:
        raise UsageError(
            f"{path} cannot be written: {cause.strerror or cause}.", mend="Choose another file with --out."
        ) from None
