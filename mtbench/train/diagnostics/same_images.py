"""Triplets of all tasks that are made of the same images.

The triplets of a mini-batch have one task each, and triplets of different tasks rarely have a common image: then
gradients of two tasks differ by their images as well as by their tasks. Here the anchors of a mini-batch are combined
into new triplets, for each task by their classes for it.
"""

import dataclasses

import torch
from torch import Tensor

from mtbench.contract import Retrieval, Split, Task, stream

__all__ = ["SameImages"]


class SameImages:
    """Triplets from the anchors of mini-batches, for tasks with known classes of images.

    Each image of a set has one triplet per task. It is the anchor if its class is one of the task's anchors in the
    split, else the negative. The two other images are drawn from the set, uniformly among those that fit. So the
    gradient of each task's loss is over all images that have a place in any triplet. An image without one, such as the
    only one of its class, is left out. The negative has any other class, even if the triplets of the split keep a
    distance between classes.
    """

    def __init__(self, split: Split) -> None:
        """Args: `split` has triplets with the classes of their images, see `can_be_made`."""
        assert split.members is not None
        assert split.classes is not None
        self.split, self.members, self.classes = split, split.members.cpu(), split.classes.cpu().long()
        owned = [self.members[column.cpu(), 0] for column in split.defined.T]
        self.anchors = [torch.unique(self.classes[rows, task]) for task, rows in enumerate(owned)]

    @staticmethod
    def can_be_made(tasks: tuple[Task, ...], split: Split) -> bool:
        """Return True if examples are triplets and the classes of their images are known."""
        triplets = split.members is not None and split.members.shape[1] == 3
        return triplets and split.classes is not None and all(isinstance(task.kind, Retrieval) for task in tasks)

    def images(self, rows: Tensor) -> Tensor:
        """Return the images (P,) that are anchors of the examples `rows`, each once, in the order of the examples."""
        return torch.tensor(list(dict.fromkeys(self.members[rows.cpu(), 0].tolist())))

    def triplets(self, images: Tensor, task: int) -> Split:
        """Return a split of the triplets of a task that are made of images (P,); it may be empty.

        The same images give the same triplets. If training images are moved, these are too.
        """
        generator = stream(0, "same images", task, *images.tolist())
        chosen = images[_triplets(self.classes[images, task], self.anchors[task], generator)]
        device = self.split.defined.device
        targets = Retrieval.targets(chosen, self.classes[chosen, task]).to(device)
        defined = torch.zeros(len(chosen), len(self.anchors), dtype=torch.bool, device=device)
        defined[:, task] = True
        assert self.split.members is not None
        members = chosen.to(self.split.members.device)
        return dataclasses.replace(
            self.split,
            members=members,
            targets=(targets,) * len(self.anchors),
            defined=defined,
            foreground=None,
            points=None,
        )


def _triplets(classes: Tensor, anchors: Tensor, generator: torch.Generator) -> Tensor:
    """Return the places (n, 3) of anchor, positive and negative among P images, n <= P.

    Args:
        classes: (P,) int64 the classes of the images; -1 if unknown, which fits nowhere.
        anchors: the classes of anchors.
    """
    count = len(classes)
    if not count:
        return torch.empty(0, 3, dtype=torch.int64)
    known = classes >= 0
    same = (classes[:, None] == classes) & known & ~torch.eye(count, dtype=torch.bool)
    other = (classes[:, None] != classes) & known & known[:, None]
    may_lead = torch.isin(classes, anchors) & known
    place = torch.arange(count)

    def pick(fits: Tensor) -> tuple[Tensor, Tensor]:
        """Return one random fit (P,) in each row of a mask (P, P), and whether the row has any."""
        return torch.rand(count, count, generator=generator).where(fits, -1).argmax(1), fits.any(1)

    leader, has_leader = pick(other & may_lead & same.any(1))
    far, has_far = pick(other)
    anchor = place.where(may_lead, leader)
    near, has_near = pick(same[anchor])
    whole = known & has_near & torch.where(may_lead, has_far, has_leader)
    return torch.stack([anchor, near, far.where(may_lead, place)], dim=1)[whole]
