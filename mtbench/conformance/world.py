"""Small worlds that a method is tested in: images of noise with a bright bar for each task, made in milliseconds."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Classification, Split, Task, stream

__all__ = ["PLACES", "SHAPE", "World", "absent_in_every_other_batch", "conflicting", "plain", "undefined"]

PLACES = 4
"""Number of places of a bar: the classes of each task."""
SHAPE = (1, 28, 28)


@dataclass(frozen=True, kw_only=True)
class World:
    """Tasks, and examples that have a label for all of them unless said otherwise."""

    tasks: tuple[Task, ...]
    split: Split


@dataclass(frozen=True, kw_only=True)
class InTurn(Classification):
    """A classification whose epochs visit `batch` examples with all labels, then as many with some, and so on."""

    batch: int

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        groups = [rows.nonzero().squeeze(1) for rows in (defined.all(1), ~defined.all(1))]
        shuffled = [rows[torch.randperm(len(rows), generator=generator)] for rows in groups]
        pairs = zip(*(torch.split(rows, self.batch) for rows in shuffled), strict=True)
        return torch.cat([part for pair in pairs for part in pair])


def plain(tasks: int, count: int) -> World:
    """Return `count` examples; the label of task t is the place, of four, of the bar in the t-th of `tasks` bands.

    The center of the bar is the task's point.
    """
    generator = stream(0, "conformance", tasks)
    channels, side, _ = SHAPE
    band, width = side // tasks, side // PLACES
    images = torch.randint(0, 100, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    places = torch.randint(0, PLACES, (count, tasks), generator=generator)
    for image, row in zip(images, places.tolist(), strict=True):
        for task, place in enumerate(row):
            image[:, task * band : task * band + min(band, 6), place * width : (place + 1) * width - 1] = 230
    named = tuple(Task(name=f"band{task}", kind=Classification(classes=PLACES)) for task in range(tasks))
    targets = tuple(places.T.contiguous())
    defined = torch.ones(count, tasks, dtype=torch.bool)
    rows = (torch.arange(tasks) * band + (min(band, 6) - 1) / 2).expand(count, tasks)
    points = torch.stack([places * width + (width - 2) / 2, rows], dim=2)  # (count, tasks, 2)
    split = Split(inputs=images, targets=targets, defined=defined, points=points, mean=(0.25,), std=(0.3,))
    return World(tasks=named, split=split)


def undefined(tasks: int, count: int) -> World:
    """Return the plain world with a third of the labels missing, and few of the last task's."""
    world = plain(tasks, count)
    kept = torch.rand(count, tasks, generator=stream(0, "conformance", "kept")) < 2 / 3
    kept[:, -1] &= torch.arange(count) % 8 == 0
    return _with(world, kept)


def conflicting(count: int) -> World:
    """Return three tasks whose gradients conflict in one backbone, with losses of three sizes.

    The first two have the same bar, and half of the second one's labels are those of another image; the third has
    another bar.
    """
    world = plain(2, count)
    first, other = world.split.targets
    order = torch.randperm(count, generator=stream(0, "conformance", "conflict"))
    mixed = torch.where(torch.arange(count) % 2 == 0, (first + 1) % PLACES, first[order])
    kinds = Classification(classes=PLACES)
    sizes = {"same": 1.0, "mixed": 3.0, "other": 0.3}
    tasks = tuple(Task(name=name, kind=kinds, scale=scale) for name, scale in sizes.items())
    defined = torch.ones(count, len(tasks), dtype=torch.bool)
    points = world.split.points
    assert points is not None
    split = dataclasses.replace(
        world.split, targets=(first, mixed, other), defined=defined, points=points[:, [0, 0, 1]]
    )
    return World(tasks=tasks, split=split)


def absent_in_every_other_batch(count: int, batch: int) -> World:
    """Return two tasks, the second of which has no label in any example of every other batch."""
    world = plain(2, count)
    defined = world.split.defined.clone()
    defined[count // 2 :, 1] = False
    tasks = tuple(Task(name=task.name, kind=InTurn(classes=PLACES, batch=batch)) for task in world.tasks)
    return World(tasks=tasks, split=_with(world, defined).split)


def _with(world: World, defined: Tensor) -> World:
    targets = tuple(torch.where(kept, target, -1) for target, kept in zip(world.split.targets, defined.T, strict=True))
    return dataclasses.replace(world, split=dataclasses.replace(world.split, targets=targets, defined=defined))
