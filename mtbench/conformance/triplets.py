"""The small worlds as triplets, for methods on embeddings."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.conformance.world import InTurn, World
from mtbench.contract import Kind, Retrieval, stream
from mtbench.errors import UsageError

__all__ = ["as_triplets", "fitting"]

SIZE = 16
"""Number of dimensions of an embedding: at least the number of tasks."""


@dataclass(frozen=True, kw_only=True)
class TripletsInTurn(Retrieval):
    """Embeddings whose epochs visit `batch` triplets of two tasks, then as many of the first task, and so on."""

    batch: int

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        first, second = (
            rows[torch.randperm(len(rows), generator=generator)]
            for rows in (column.nonzero().squeeze(1) for column in defined.T)
        )
        half, visited, parts = self.batch // 2, 0, []
        for some in torch.split(second, half):
            parts += [first[visited : visited + half], some, first[visited + half : visited + half + self.batch]]
            visited += half + self.batch
        return torch.cat(parts)


def fitting(world: World, kinds: Sequence[type[Kind]]) -> World:
    """Return the world with tasks of one of these kinds, if there are any.

    Raises:
        UsageError: there is no world of these kinds.
    """
    if not kinds or all(isinstance(task.kind, tuple(kinds)) for task in world.tasks):
        return world
    if not issubclass(Retrieval, tuple(kinds)):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise UsageError(
            f"methods are checked on tasks of kind Classification or Retrieval, and this one is for {names}."
        )
    return as_triplets(world)


def as_triplets(world: World) -> World:
    """Return triplets of the world's images: example i is the anchor, for task i modulo T.

    Its label is defined if the anchor's is; positive and negative are drawn.
    """
    split, count, tasks = world.split, len(world.split), len(world.tasks)
    labels = torch.stack([target.long() for target in split.targets], dim=1)  # (N, T)
    owner, generator = torch.arange(count) % tasks, stream(0, "conformance", "triplets")
    if isinstance(world.tasks[0].kind, InTurn):
        owner[count // 2 :] = 0  # the second task is absent there
    members = []
    for anchor, task in enumerate(owner.tolist()):
        known, alike = split.defined[:, task], labels[:, task] == labels[anchor, task]
        others = torch.arange(count) != anchor
        near = _one(known & alike & others, generator, otherwise=anchor)
        far = _one(known & ~alike, generator, otherwise=(anchor + 1) % count)
        members.append([anchor, near, far])
    images = torch.tensor(members)
    targets = Retrieval.targets(images, labels[images, owner[:, None]])
    changed = [
        dataclasses.replace(
            task,
            kind=TripletsInTurn(size=SIZE, batch=task.kind.batch)
            if isinstance(task.kind, InTurn)
            else Retrieval(size=SIZE),
        )
        for task in world.tasks
    ]
    made = dataclasses.replace(
        split,
        targets=(targets,) * tasks,
        defined=split.defined & (owner[:, None] == torch.arange(tasks)),
        members=images,
        points=None,
    )
    return World(tasks=tuple(changed), split=made)


def _one(mask: Tensor, generator: torch.Generator, *, otherwise: int) -> int:
    rows = mask.nonzero().squeeze(1)
    return int(rows[torch.randint(len(rows), (1,), generator=generator)]) if len(rows) else otherwise
