"""A shared backbone with a branch for each task."""

from typing import Any

from torch import Tensor, nn

from mtbench.contract import Inputs, Setup, SharedRepresentation

__all__ = ["Branches"]


class Branches(SharedRepresentation):
    """One backbone, one branch per task: the multi-branch network.

    ::

        z = backbone(x)                  (B, features)
        y_t = branch_t(z)                (B, classes of t), for every task t

    Chosen here: a branch is the head of the backbone; its initial weights are drawn by the name of its task.

    Compared with: each branch alone, atol=1e-6
    (test_balancers.py::test_plain_branches_get_their_own_loss_unscaled_and_the_encoder_the_same).
    """

    title = "Branches"
    per_task = frozenset({"branches"})
    role = "reference"
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = nn.ModuleList(heads)

    def encode(self, inputs: Inputs) -> Tensor:
        return self.backbone(inputs)  # type: ignore[no-any-return]

    def decode(self, z: Tensor) -> list[Tensor]:
        return [branch(z) for branch in self.branches]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.branches[index](self.encode(inputs))  # type: ignore[no-any-return]
