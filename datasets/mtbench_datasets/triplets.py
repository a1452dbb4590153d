"""Lists of triplets of images, one list per task, drawn once and kept.

Shapes: N images, K triplets of a task, T tasks. A triplet is an anchor, a near image and a far one, in this order.
"""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.contract import Retrieval, Split, TrainingProtocol

__all__ = ["MEAN", "STD", "draw_triplets", "in_turn", "lists_sum", "paper_protocol", "triplet_split"]

MEAN, STD = (122.7717 / 255, 115.9465 / 255, 102.9801 / 255), (128 / 255,) * 3
"""Zhao et al. (2018) subtract these means from red, green and blue, and multiply by 1/128."""


def paper_protocol(batch: int) -> TrainingProtocol:
    """Return the training protocol of Zhao et al. (2018), with so many triplets in a batch.

    They count images: 168 = 7 x 8 x 3 and 180 = 20 x 3 x 3. The initial accumulator is that of their library.
    """
    return TrainingProtocol(
        name="paper",
        epochs=100,
        batch=batch,
        lr=0.01,
        optimizer="adagrad",
        initial_accumulator=0.1,
        schedule="step:every=40:factor=.1",
        seeds=3,
    )


def draw_triplets(has: Tensor, count: int, generator: torch.Generator, *, both: bool = False) -> Tensor:
    """Return triplets (count, 3) int64, as indices of images: the near image is of the anchor's class, not the far one.

    All images of a class are as likely, and the near image is another one than the anchor.

    Args:
        has: (N,) bool, the class of each image: at least two are True and one False.
        count: K.
        generator: the only source of randomness.
        both: True for anchors of either class, each as likely; there are then at least two of each. Else anchors have
            the attribute.
    """
    drawn = _drawn(has.nonzero().squeeze(1), (~has).nonzero().squeeze(1), count, generator)
    if not both:
        return drawn
    other = _drawn((~has).nonzero().squeeze(1), has.nonzero().squeeze(1), count, generator)
    return torch.where((torch.rand(count, generator=generator) < 0.5)[:, None], drawn, other)


def in_turn(triplets: Sequence[Tensor]) -> Tensor:
    """Return the triplets (T K, 3) of some lists (K, 3), the first of each list, then the second of each, and so on."""
    return torch.stack(tuple(triplets), 1).flatten(0, 1)


def triplet_split(triplets: Sequence[Tensor], classes: Tensor, inputs: Tensor) -> Split:
    """Return the split of some lists of triplets, in the order of `in_turn`: the first so many are of all tasks.

    Args:
        triplets: per task (K, 3) indices of images.
        classes: (N, T) the class of each image for each task, -1 if it is unknown.
        inputs: images, or empty (_, 0) for labels alone.
    """
    tasks = len(triplets)
    members = in_turn(triplets)
    task = torch.arange(tasks).repeat(len(members) // tasks)
    targets = Retrieval.targets(members, classes[members, task[:, None]])
    defined = task[:, None] == torch.arange(tasks)
    return Split(inputs=inputs, targets=(targets,) * tasks, defined=defined, members=members, classes=classes)


def lists_sum(triplets: Sequence[Tensor]) -> str:
    """Return the sha256 of lists, as 32-bit numbers in little-endian order, list after list."""
    text = hashlib.sha256()
    for each in triplets:
        text.update(each.numpy().astype("<i4").tobytes())
    return text.hexdigest()


def _drawn(inside: Tensor, outside: Tensor, count: int, generator: torch.Generator) -> Tensor:
    anchor = torch.randint(len(inside), (count,), generator=generator)
    near = torch.randint(len(inside) - 1, (count,), generator=generator)
    far = torch.randint(len(outside), (count,), generator=generator)
    return torch.stack([inside[anchor], inside[near + (near >= anchor)], outside[far]], 1)
