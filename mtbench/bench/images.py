"""Random images in the form of a dataset's, where its files are not there."""

from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Classification, Split, stream
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec

__all__ = ["random_splits"]

COUNT = 12_800
"""Random images that are trained on, unless the protocol asks for fewer."""
TESTED = 16


def random_splits(spec: RunSpec, root: Path) -> dict[str, Split]:
    """Return splits of random images and labels, of the shape and with the tasks of a run's dataset.

    Raises:
        UsageError: a task is no classification.
    """
    dataset = spec.resolve().dataset.open(root)
    classes = [task.kind.classes for task in dataset.tasks if isinstance(task.kind, Classification)]
    if len(classes) < len(dataset.tasks):
        raise UsageError(
            f"dataset '{spec.dataset}' has a task that is no classification, and random labels are classes.",
            mend=f"Prepare its files: mtbench data prepare {spec.dataset}",
        )
    generator, channels = stream(0, "bench"), dataset.input_shape[0]

    def labels(count: int, width: int) -> Tensor:
        return torch.randint(width, (count,), generator=generator)

    def split(count: int) -> Split:
        return Split(
            inputs=torch.randint(256, (count, *dataset.input_shape), dtype=torch.uint8, generator=generator),
            targets=tuple(labels(count, width) for width in classes),
            defined=torch.ones(count, len(classes), dtype=torch.bool),
            mean=(0.5,) * channels,
            std=(0.25,) * channels,
        )

    return {"train": split(min(COUNT, spec.protocol.images or COUNT)), "test": split(TESTED)}
