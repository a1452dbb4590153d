"""One task per row: the parts of the network that each row of a batch uses for its task."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["Asked", "RowBranches", "RowsByTask", "per_channel"]


class RowsByTask:
    """The rows of a batch, divided by their tasks.

    Attributes:
        task: (B,) int64, a task's index for each row.
        counts: T numbers, the number of rows of each task.
    """

    def __init__(self, task: Tensor, tasks: int) -> None:
        """Args: `tasks` is T."""
        self.task = task
        self.counts: list[int] = torch.bincount(task, minlength=tasks).tolist()
        self.order = task.argsort(stable=True)
        self.back = self.order.argsort()

    def apply(self, own: Sequence[Callable[[Tensor], Tensor]], values: Tensor) -> Tensor:
        """Apply to each row of the values (B, ...) its task's function, of T; the others are not called."""
        present = [index for index, count in enumerate(self.counts) if count]
        if len(present) == 1:
            return own[present[0]](values)
        parts = torch.split(values[self.order], self.counts)
        return torch.cat([own[index](parts[index]) for index in present])[self.back]


class Asked:
    """The rows of the present forward pass, for layers deep inside a backbone."""

    def __init__(self) -> None:
        self._rows: RowsByTask | None = None

    @contextmanager
    def about(self, rows: RowsByTask) -> Iterator[None]:
        """Set these rows for the layers that run within the block."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    @property
    def rows(self) -> RowsByTask:
        assert self._rows is not None, "a layer that depends on the task ran outside of its network's forward pass"
        return self._rows


class RowBranches(nn.ModuleList):
    """A branch per task: each row is answered by its own task's branch; surplus columns are 0."""

    def __init__(self, branches: Sequence[nn.Module], widest: int) -> None:
        super().__init__(branches)
        self.widest = widest

    def forward(self, z: Tensor, rows: RowsByTask) -> Tensor:
        """Return (B, widest, ...), from z (B, features, ...)."""
        return rows.apply([self._widened(branch) for branch in self], z)

    def _widened(self, branch: nn.Module) -> Callable[[Tensor], Tensor]:
        def answer(z: Tensor) -> Tensor:
            output = cast(Tensor, branch(z))
            return nn.functional.pad(output, (*[0, 0] * (output.dim() - 2), 0, self.widest - output.shape[1]))

        return answer


def per_channel(values: Tensor, maps: Tensor) -> Tensor:
    """Return the values (B, C), one per channel, in a shape that broadcasts over the places of maps (B, C, ...)."""
    return values.view(*values.shape, *[1] * (maps.dim() - 2))
