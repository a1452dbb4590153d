"""Adam on a number per task, which does not change the numbers of absent tasks."""

import torch
from torch import Tensor, nn

__all__ = ["TaskAdam"]


class TaskAdam(nn.Module):
    """Adam (Kingma & Ba 2015) with betas .9 and .999 and its state in buffers; each task counts steps of its own."""

    def __init__(self, tasks: int, *, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__()
        self.lr, self.weight_decay = lr, weight_decay
        self.first: Tensor
        self.second: Tensor
        self.steps: Tensor
        for name in ("first", "second"):
            self.register_buffer(name, torch.zeros(tasks))
        self.register_buffer("steps", torch.zeros(tasks, dtype=torch.float64))  # 1 - .999 in float32 is off by 5e-5

    def step(self, values: Tensor, gradients: Tensor, indices: Tensor) -> None:
        """Move the values (T,) of the tasks that are present (P,) int64 against their gradients (P,), in place."""
        gradients = gradients + self.weight_decay * values[indices]
        self.steps[indices] += 1
        self.first[indices] = 0.9 * self.first[indices] + 0.1 * gradients
        self.second[indices] = 0.999 * self.second[indices] + 0.001 * gradients.square()
        mean = self.first[indices] / (1 - 0.9 ** self.steps[indices])
        square = self.second[indices] / (1 - 0.999 ** self.steps[indices])
        values[indices] -= (self.lr * mean / (square.sqrt() + 1e-8)).to(values)
