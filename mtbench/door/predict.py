"""Predictions of trained networks for given images."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mtbench.contract import Split
from mtbench.door.given import Folder
from mtbench.door.given import data_root as chosen_root
from mtbench.errors import UsageError
from mtbench.explanation.trained import find_run, open_network
from mtbench.train.machine.device import choose_device, deterministic
from mtbench.train.network.precision import compute_in_bfloat16
from mtbench.train.outputs import outputs

__all__ = ["predict"]


def predict(
    run: Folder, images: ArrayLike | Tensor, *, data_root: Folder | None = None, device: str = "auto"
) -> dict[str, NDArray[Any]]:
    """Return the predictions of a finished run's network for some inputs.

    Args:
        run: the folder of the run, a file in it, or a folder above it that has no other run below; also in a pack
            with weights, as ``x.zip/mmnist2/td/seed-0-1a2b3c4d5e6f``.
        images: (N, C, H, W), in the shape and type of the dataset's inputs: uint8 for images, which are normalized as
            those of the dataset are; float32 for inputs that are no images, in any shape (N, ...) that the dataset has.
        data_root: see `mtbench.load`. The dataset's own files must be there, for they say how inputs are normalized.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        an array (N, ...) by task name, as the task's kind predicts: classes (N,), numbers, or maps (N, H, W).

    Raises:
        UsageError: there is no such run, it is not finished, or the inputs do not fit it.
        StoreError: the run has kept no weights, or they are damaged; the text names the run.
        DataError: a data file is missing or damaged.

    Example:
        >>> runs = mtbench.run("uniform", "mmnist2", seeds=1, epochs=1, images=512, results="digits", quiet=True)
        >>> images = numpy.zeros((2, 1, 28, 28), dtype=numpy.uint8)
        >>> {task: classes.shape for task, classes in mtbench.predict("digits", images).items()}
        {'LU': (2,), 'RL': (2,)}
    """
    chosen = choose_device(device)
    folder = find_run(Path(run))
    deterministic(chosen, "float32")
    opened = open_network(folder, chosen_root(data_root), chosen)
    protocol = opened.record.spec.protocol
    if protocol.precision == "bf16":
        compute_in_bfloat16(opened.network, chosen)
    split = _split(images, opened.test, len(opened.network.tasks)).to(chosen)
    norm_batch = protocol.batch if protocol.norm_eval == "batch" else 0
    found: dict[str, list[Tensor]] = {task.name: [] for task in opened.network.tasks}
    for some in outputs(opened.network, split, norm_batch=norm_batch):
        for task, output in zip(opened.network.tasks, some.outputs, strict=True):
            found[task.name].append(task.kind.predict(output).cpu())
    return {name: torch.cat(parts).numpy() for name, parts in found.items()}


def _split(images: ArrayLike | Tensor, like: Split, tasks: int) -> Split:
    """Return a split of these inputs, normalized as those of another are, whose targets are idle.

    Raises:
        UsageError: they are not alike.
    """
    if not isinstance(like.inputs, Tensor):
        raise UsageError("the inputs of this run's dataset are several tensors, and `predict` takes one.")
    if like.members is not None and like.members.shape[1] > 1:
        raise UsageError(
            f"an example of this run's dataset is {like.members.shape[1]} images, and `predict` takes single images."
        )
    given = images if isinstance(images, Tensor) else torch.from_numpy(np.ascontiguousarray(images))
    shape = like.inputs.shape[1:]
    if given.shape[1:] != shape or given.dtype != like.inputs.dtype or not len(given):
        wanted = f"{_name(like.inputs.dtype)} of shape (N, {', '.join(map(str, shape))}), N at least 1"
        raise UsageError(
            f"the images are {_name(given.dtype)} of shape {tuple(given.shape)}.", allowed=f"This run takes {wanted}."
        )
    count = len(given)
    return dataclasses.replace(
        like,
        inputs=given,
        targets=tuple(target[:1].expand(count, *target.shape[1:]) for target in like.targets),
        defined=torch.ones(count, tasks, dtype=torch.bool),
        members=None,
        foreground=None,
        points=None,
        classes=None,
        release=None,
        mapped_targets=False,
    )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
