"""A balancer with everything that a checkpoint must carry: a parameter that is trained, and a state of its own."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mtbench.contract import Losses, LossWeighting, Task


class Drift(LossWeighting):
    """Weights that are learned (as by uncertainty) and drift with the number of steps taken."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logits = nn.Parameter(torch.zeros(len(tasks)))
        self.register_buffer("steps", torch.zeros(()))

    def weigh(self, losses: Losses) -> Tensor:  # noqa: ARG002
        assert isinstance(self.steps, Tensor)
        self.steps += 1
        drift = 1 + self.steps * torch.arange(len(self.tasks)) / 10
        return self.logits.softmax(0) * drift
