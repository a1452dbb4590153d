"""Methods that go wrong, each in its own way."""

import os
import signal
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Batch, Inputs, Losses, Setup, option


class Broken(AllTasksNetwork):
    """One head per task, and something that goes wrong after a few batches."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branches = nn.ModuleList([setup.head(self.backbone, task.kind.output_size) for task in setup.tasks])
        self.batches = 0

    def forward(self, inputs: Inputs) -> list[Tensor]:
        z = self.backbone(inputs)
        return [branch(z) for branch in self.branches]


class DropsOut(Broken):
    """Draws in training: half of the representation is dropped."""

    def forward(self, inputs: Inputs) -> list[Tensor]:
        z = nn.functional.dropout(self.backbone(inputs), 0.5, self.training)
        return [branch(z) for branch in self.branches]


class TurnsNan(Broken):
    """The second task's loss becomes NaN at the third step."""

    def losses(self, batch: Batch) -> Losses:
        self.batches += 1
        losses = super().losses(batch)
        if self.batches == 3:
            losses.means[1] = float("nan")
        return losses


@dataclass(frozen=True, kw_only=True)
class CrashOptions:
    how: str = option("raise", "raise an exception, or die of a signal", choices=("raise", "kill"))


class Crashes(Broken):
    """Raises, or is killed, at the third step."""

    Options = CrashOptions

    def losses(self, batch: Batch) -> Losses:
        self.batches += 1
        if self.batches == 3:
            if self.options.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("the third step is one too many")
        return super().losses(batch)
