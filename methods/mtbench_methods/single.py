"""A network of its own for each task."""

from typing import Any

from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Batch, Inputs, Setup

__all__ = ["Single"]


class Single(AllTasksNetwork):
    """One whole network per task: the single-task baseline.

    The T networks start from the seed's one initial trunk and see the same batches. Their losses are added, not
    averaged, so that each is trained exactly as it would be alone.
    """

    per_task = frozenset({"backbones", "branches"})
    shares = False
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        trunks = [setup.trunk() for _ in setup.tasks]
        heads = [
            setup.head(trunk, task.kind.output_size, f"branch/{task.name}")
            for trunk, task in zip(trunks, setup.tasks, strict=True)
        ]
        self.backbones = nn.ModuleList(trunks)
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return [self.answer(inputs, index) for index in range(len(self.tasks))]

    def answer(self, inputs: Inputs, index: int) -> Tensor:
        return self.branches[index](self.backbones[index](inputs))  # type: ignore[no-any-return]

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        return len(self.tasks)

    def share(self, counts: Tensor) -> Tensor:
        return (counts > 0).float()
