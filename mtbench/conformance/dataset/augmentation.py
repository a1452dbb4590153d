"""The check of the motions of training examples."""

import torch
from torch import Tensor

from mtbench.conformance.dataset.reading import alike, all_splits
from mtbench.conformance.fault import Fault
from mtbench.contract import Batch, Dataset, stream

__all__ = ["augments"]


def augments(dataset: Dataset) -> None:
    for name, split in all_splits(dataset):
        if not split.augment:
            continue
        if not name.startswith("train"):
            raise Fault(f"the examples of {name} are augmented, and only those of a training split should be.")
        rows = torch.arange(min(64, len(split)))
        before = torch.get_rng_state()
        first, second = (split.augmented(dataset.tasks, stream(0, "check")).batch(rows) for _ in range(2))
        plain = split.batch(rows)
        still, moved, again = map(_parts, (plain, first, second))
        if not (all(map(alike, moved, again)) and torch.equal(before, torch.get_rng_state())):
            raise Fault(f"augmentation of {name} draws from another generator than the given one.")
        for part, other in zip(still, moved, strict=True):
            if part.shape != other.shape or part.dtype != other.dtype:
                raise Fault(
                    f"augmentation of {name} makes {other.dtype} {tuple(other.shape)} of {part.dtype} "
                    f"{tuple(part.shape)}."
                )
        for index, task in enumerate(dataset.tasks):
            maps = plain.targets[index]
            if task.kind.layout == "map" and not alike(maps, maps.flip(-1)) and alike(maps, first.targets[index]):
                raise Fault(f"the maps of task '{task.name}' are not moved with their images: its kind needs `moved`.")


def _parts(batch: Batch) -> list[Tensor]:
    """Return all tensors that an augmentation may change."""
    inputs = [batch.inputs] if isinstance(batch.inputs, Tensor) else list(batch.inputs.values())
    points = [] if batch.points is None else [batch.points]
    tasks = [] if batch.foreground is None else range(len(batch.targets))
    maps = [batch.foreground(batch.rows, task) for task in tasks if batch.foreground is not None]
    return [*inputs, *batch.targets, batch.use, *points, *maps]
