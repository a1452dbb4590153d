"""Storage of each task's gradients for balancers."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["PerTask"]


class PerTask(nn.Module):
    """A vector (n,) for each of T tasks, initially 0; n is that of the first gradients."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.tasks = tasks
        self.rows: Tensor | None = None  # (T, n)

    def of(self, indices: Tensor, like: Tensor) -> Tensor:
        """Return the vectors (P, n) of the present tasks, on the device and of the dtype of the gradients (P, n)."""
        if self.rows is None:
            self.rows = like.new_zeros(self.tasks, like.shape[1])
        self.rows = self.rows.to(like)
        return self.rows[indices]

    def put(self, indices: Tensor, rows: Tensor) -> None:
        """Store (P, n) in their place, after `of`."""
        assert self.rows is not None
        self.rows[indices] = rows

    def get_extra_state(self) -> Any:
        return torch.empty(0) if self.rows is None else self.rows

    def set_extra_state(self, state: Any) -> None:
        self.rows = state.clone() if state.numel() else None
