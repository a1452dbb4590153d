"""A network for each task."""

from typing import Any

from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Batch, Inputs, Setup

__all__ = ["Single"]


class Single(AllTasksNetwork):
    """One whole network per task: the single-task baseline.

    The T networks start from the seed's one initial backbone and use the same batches. Their losses are added, not
    averaged, so that each is trained exactly as it would be alone. If each example belongs to one task, a network uses
    only the examples of its own task.

    Chosen here: all networks start from one initial backbone.

    Compared with: a network for the triplets of its own task, rel=1e-6
    (networks/test_embeddings.py::test_a_separate_network_sees_the_triplets_of_its_own_task_alone).
    """

    title = "Single-task"
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

    def alone(self, index: int) -> tuple[str, ...]:
        return (f"backbones.{index}", f"branches.{index}")

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return [self.task_output(inputs, index) for index in range(len(self.tasks))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.branches[index](self.backbones[index](inputs))  # type: ignore[no-any-return]

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        return [
            self.task_output(batch.inputs_at(indices), index) if len(indices) else batch.use.new_empty(0)
            for index, indices in enumerate(batch.used_inputs())
        ]

    def training_outputs(self, batch: Batch) -> list[Tensor]:
        if not self._parts_examples:
            return super().training_outputs(batch)
        count = len(batch.rows) * batch.inputs_per_example
        pairs = zip(batch.used_inputs(), self.used_outputs(batch), strict=True)
        return [output.new_zeros(count, *output.shape[1:]).index_copy(0, indices, output) for indices, output in pairs]

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        return 1 if self._parts_examples else len(self.tasks)

    @property
    def _parts_examples(self) -> bool:
        return any(task.kind.one_task_per_example for task in self.tasks)

    def base_weights(self, counts: Tensor) -> Tensor:
        return (counts > 0).float()

    def clip_groups(self, *, shared: bool) -> list[list[nn.Parameter]]:
        pairs = zip(self.backbones, self.branches, strict=True)
        return [[*backbone.parameters(), *(() if shared else branch.parameters())] for backbone, branch in pairs]
