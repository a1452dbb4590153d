"""Gradients to combine, and what combines them."""

from typing import cast

import torch
from torch import Tensor

from mtbench.contract import Classification, Combined, GradientBalancer, Task
from mtbench.plan.parse import parse_method

A = torch.tensor([[1.0, 0.0], [-0.5, 1.0]])
"""The two gradients whose combinations are known by hand."""


def balancer(text: str, tasks: int = 2) -> GradientBalancer:
    """Return a balancer as the command line names it, e.g. ``cagrad:c=.5``."""
    known = tuple(Task(name=str(index), kind=Classification(classes=2)) for index in range(tasks))
    chosen = parse_method(f"branches+{text}")
    return cast(GradientBalancer, chosen.balancer_class(chosen.balancer_options, known))


def combined(combining: GradientBalancer, rows: Tensor, tasks: list[int] | None = None) -> Combined:
    """Return the result of a balancer for gradients (P, n); all tasks are present unless given otherwise."""
    indices = torch.arange(len(rows)) if tasks is None else torch.tensor(tasks)
    return combining.combine(rows, torch.ones(len(rows)), indices)


def shared(text: str, rows: Tensor) -> Tensor:
    """Return the shared gradient that a fresh balancer gives."""
    return combined(balancer(text, len(rows)), rows).shared


def drawn(tasks: int, size: int = 50, seed: int = 0) -> Tensor:
    """Random gradients (tasks, size), each shifted, so that some conflict and some agree."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(tasks, size, generator=generator) + torch.randn(size, generator=generator)


def badly_scaled(tasks: int, seed: int = 0) -> Tensor:
    """Random gradients whose norms range from about 1 to 1000 times the first one's."""
    rows = torch.randn(tasks, 60, generator=torch.Generator().manual_seed(seed))
    return rows * torch.logspace(0, 3, tasks)[:, None]


def nearly_dependent(tasks: int, seed: int = 0) -> Tensor:
    """Return gradients that differ from one direction by a thousandth."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(60, generator=generator) + 1e-3 * torch.randn(tasks, 60, generator=generator)


def conflicting(tasks: int, seed: int = 0) -> Tensor:
    """Return gradients that nearly cancel."""
    rows = torch.randn(tasks, 60, generator=torch.Generator().manual_seed(seed))
    rows[-1] = -rows[:-1].sum(0) + 1e-2 * rows[-1]
    return rows
