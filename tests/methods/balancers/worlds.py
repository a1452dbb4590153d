"""Sets of gradients at the edges of what balancers meet: of unlike lengths, dependent, opposite, parallel, zero."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["KINDS", "RATIOS", "TASKS", "World", "worlds"]

TASKS = (2, 3, 5, 12, 40)
RATIOS = (1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
"""The shortest length relative to the longest."""
SIZE = 60


@dataclass(frozen=True, kw_only=True)
class World:
    """A set of gradients.

    Attributes:
        kind: one of `KINDS`.
        tasks: T.
        ratio: one of `RATIOS`.
        rows: (T, SIZE) float32, as a network's are.
    """

    kind: str
    tasks: int
    ratio: float
    rows: Tensor

    def __str__(self) -> str:
        return f"{self.kind}, T = {self.tasks}, ratio {self.ratio:g}"


def _random(tasks: int, generator: torch.Generator) -> Tensor:
    """Whole numbers of about a hundred, so that small sums of them are exact in single precision."""
    return (100 * torch.randn(tasks, SIZE, generator=generator, dtype=torch.float64)).round()


def _agreeing(tasks: int, generator: torch.Generator) -> Tensor:
    return _random(tasks, generator) + 2 * _random(1, generator)


def _nearly_parallel(tasks: int, generator: torch.Generator) -> Tensor:
    return _random(tasks, generator) + 1000 * _random(1, generator)


def _nearly_cancelling(tasks: int, generator: torch.Generator) -> Tensor:
    """They cancel but for a thousandth."""
    rows = 1000 * _random(tasks, generator)
    rows[-1] = -rows[:-1].sum(0) + _random(1, generator)[0]
    return rows


def _dependent(tasks: int, generator: torch.Generator) -> Tensor:
    """Return gradients of rank (T + 1) / 2, some of them sums of the others."""
    some = _agreeing((tasks + 1) // 2, generator)
    return torch.cat([some, torch.randint(1, 4, (tasks // 2, len(some)), generator=generator).double() @ some])


def _in_a_plane(tasks: int, generator: torch.Generator) -> Tensor:
    rows = _random(tasks, generator)
    rows[:, 2:] = 0
    return rows


def _star(tasks: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    """In a plane at equal angles all around, two and three of them at 120 degrees from one another."""
    angles = 2 * torch.pi * torch.arange(tasks, dtype=torch.float64) / max(tasks, 3)
    rows = torch.zeros(tasks, SIZE, dtype=torch.float64)
    rows[:, :2] = (1e6 * torch.stack([angles.cos(), angles.sin()], dim=1)).round()
    return rows


def _parallel(tasks: int, generator: torch.Generator) -> Tensor:
    return _random(1, generator).repeat(tasks, 1)


def _opposite(tasks: int, generator: torch.Generator) -> Tensor:
    return _parallel(tasks, generator) * (-1.0) ** torch.arange(tasks)[:, None]


def _two_opposite(tasks: int, generator: torch.Generator) -> Tensor:
    rows = _random(tasks, generator)
    rows[1] = -rows[0]
    return rows


def _one_zero(tasks: int, generator: torch.Generator) -> Tensor:
    rows = _random(tasks, generator)
    rows[int(torch.randint(tasks, (1,), generator=generator))] = 0
    return rows


KINDS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "random": _random,
    "agreeing": _agreeing,
    "nearly parallel": _nearly_parallel,
    "nearly cancelling": _nearly_cancelling,
    "dependent": _dependent,
    "in a plane": _in_a_plane,
    "star": _star,
    "parallel": _parallel,
    "opposite": _opposite,
    "two opposite": _two_opposite,
    "one zero": _one_zero,
}


def world(kind: str, tasks: int, ratio: float, seed: int = 0) -> World:
    """Return gradients of a kind, whose lengths fall from 1 to the ratio in equal steps, in random order.

    They are rounded to powers of 2 times that of the kind, so that gradients that cancel do so exactly.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = KINDS[kind](tasks, generator)
    lengths = ratio ** torch.linspace(0, 1, tasks, dtype=torch.float64)[torch.randperm(tasks, generator=generator)]
    factors = lengths / rows.norm(dim=1).clamp(min=1)
    return World(kind=kind, tasks=tasks, ratio=ratio, rows=(rows * (2 ** factors.log2().round())[:, None]).float())


def worlds(tasks: tuple[int, ...] = TASKS) -> Iterator[World]:
    """Yield every kind with every number of tasks and every ratio."""
    for kind in KINDS:
        for count in tasks:
            for ratio in RATIOS:
                yield world(kind, count, ratio)
