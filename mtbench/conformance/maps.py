"""The small worlds as maps, for backbones of dense tasks."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.conformance.world import PLACES, InTurn, World
from mtbench.contract import Kind, Segmentation
from mtbench.errors import UsageError

__all__ = ["as_maps"]


@dataclass(frozen=True, kw_only=True)
class MapsInTurn(Segmentation):
    """Maps whose epochs visit `batch` examples with all labels, then as many with some, and so on."""

    batch: int

    def order(self, defined: Tensor, generator: torch.Generator) -> Tensor:
        return InTurn(classes=self.classes, batch=self.batch).order(defined, generator)


def as_maps(world: World, kinds: Sequence[type[Kind]]) -> World:
    """Return the world with a map for each label: 1 at the place of the label, 0 at the other places of its band.

    Only the middle of each place is defined, so that maps of an eighth of an image's side can be correct.

    Args:
        kinds: the allowed kinds of tasks; empty for any.

    Raises:
        UsageError: maps of classes are not allowed.
    """
    if kinds and not issubclass(Segmentation, tuple(kinds)):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise UsageError(
            f"on backbones of maps, methods are checked on tasks of kind Segmentation, and this one is for {names}."
        )
    split = world.split
    assert isinstance(split.inputs, Tensor)
    assert split.points is not None
    height, width = split.inputs.shape[2:]
    block = width // PLACES
    columns = torch.arange(width)
    inside = ((columns % block) - (block - 2) / 2).abs() <= 1.5
    places = torch.where(inside, columns // block, -1)  # (W,)
    maps = []
    for index, labels in enumerate(split.targets):
        rows = (torch.arange(height) - split.points[:, index, 1:]).abs() <= 1  # (N, H)
        known = rows[:, :, None] & (places >= 0) & (labels >= 0)[:, None, None]
        maps.append(torch.where(known, (places == labels[:, None, None]).long(), -1))
    tasks = tuple(
        dataclasses.replace(
            task,
            kind=MapsInTurn(classes=2, batch=task.kind.batch)
            if isinstance(task.kind, InTurn)
            else Segmentation(classes=2),
        )
        for task in world.tasks
    )
    return World(tasks=tasks, split=dataclasses.replace(split, targets=tuple(maps)))
