"""A network of its own for each task."""

from typing import Any

from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Batch, Inputs, Setup

__all__ = ["Single"]


class Single(AllTasksNetwork):
    """One whole network per task: the single-task baseline.

    The T networks start from the seed's one initial backbone and see the same batches. Their losses are added, not
    averaged, so that each is trained exactly as it would be alone.
    """

    per_task = frozenset({"backbones", "branches"})
    shares_parameters = False
    role = "single-task baseline"
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        backbones = [setup.build_backbone() for _ in setup.tasks]
        heads = [
            setup.head(backbone, task.kind.output_size, f"branch/{task.name}")
            for backbone, task in zip(backbones, setup.tasks, strict=True)
        ]
        self.backbones = nn.ModuleList(backbones)
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return [self.task_output(inputs, index) for index in range(len(self.tasks))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.branches[index](self.backbones[index](inputs))  # type: ignore[no-any-return]

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        return [
            self.task_output(batch.inputs_at(indices), index) if len(indices) else batch.use.new_empty(0)
            for index, indices in enumerate(batch.used_inputs())
        ]

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        return len(self.tasks)

    def base_weights(self, counts: Tensor) -> Tensor:
        return (counts > 0).float()
