"""The examples that an epoch visits, their order, and the task that is drawn for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Kind, stream

__all__ = ["Visits", "draw_tasks", "visits"]


@dataclass(frozen=True, kw_only=True)
class Visits:
    """The examples that an epoch visits, in order.

    Attributes:
        rows: (n,) int64, the indices of the examples.
        drawn: (n,) int64, the task drawn at each visit; None if every task of each example is used.
    """

    rows: Tensor
    drawn: Tensor | None

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int) -> list[tuple[Tensor, Tensor | None]]:
        """Return rows (B,) and the tasks drawn for them (B,), batch by batch; the last may be smaller."""
        rows = torch.split(self.rows, size)
        return list(zip(rows, [None] * len(rows) if self.drawn is None else torch.split(self.drawn, size), strict=True))


def visits(
    kind: Kind, defined: Tensor, whole: Tensor, shown: Sequence[int], *, seed: int, epoch: int, one_task: bool
) -> Visits:
    """Return the visits of an epoch, as many as an epoch over all training examples has.

    If only a fraction of them is trained on, that takes several passes: each has its own order and draws, and the last
    one is truncated. An example without a label is left out, since nothing can be learned from it.

    Args:
        kind: the kind of task that draws the order.
        defined: (N, T) bool, the label mask of the examples that are trained on.
        whole: (M, T) bool, the label mask of all training examples.
        shown: the indices of the tasks that are trained, of T; no other task has a defined target.
        one_task: True if one task is drawn at each visit.

    Returns:
        the visits on the CPU; empty if no example has a label.
    """
    columns = list(shown)

    def order(labels: Tensor, purpose: Sequence[int]) -> Tensor:
        rows = kind.order(labels[:, columns], stream(seed, "order", *purpose))
        return rows[labels[rows].any(1)]

    rows: list[Tensor] = []
    drawn: list[Tensor] = []
    count = len(order(whole, (epoch,)))
    while not rows or (len(rows[-1]) and sum(len(part) for part in rows) < count):
        purpose = (epoch, len(rows)) if rows else (epoch,)
        rows.append(order(defined, purpose))
        if one_task:
            drawn.append(draw_tasks(defined, stream(seed, "tasks", *purpose))[rows[-1]])
    return Visits(rows=torch.cat(rows)[:count], drawn=torch.cat(drawn)[:count] if one_task else None)


def draw_tasks(defined: Tensor, generator: torch.Generator) -> Tensor:
    """Draw one task per example, (N,) int64, uniformly among its defined ones in (N, T) bool, or any if none is."""
    weights = defined.float()
    weights[~defined.any(1)] = 1
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)
