"""Networks that answer all tasks of an input at once. Shapes: see `mtbench.contract.networks.network`."""

from abc import abstractmethod
from typing import cast

from torch import Tensor

from mtbench.contract.data.batch import Batch, Inputs
from mtbench.contract.networks.network import Network

__all__ = ["AllTasksNetwork", "SharedRepresentation"]


class AllTasksNetwork(Network):
    """A network whose ``forward(inputs)`` gives every task's output; each label of an image is used.

    Its unweighted loss is the mean over the tasks that are present.
    """

    one_task = False

    @abstractmethod
    def forward(self, inputs: Inputs) -> list[Tensor]:
        """Return per task the output (B * V, ...), from inputs (B * V, ...)."""

    def all_outputs(self, inputs: Inputs) -> list[Tensor]:
        return cast(list[Tensor], self(inputs))

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        outputs = self.all_outputs(batch.inputs)
        return [output[indices] for output, indices in zip(outputs, batch.used_inputs(), strict=True)]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.all_outputs(inputs)[index]

    def training_outputs(self, batch: Batch) -> list[Tensor]:
        return cast(list[Tensor], self(batch.inputs))

    def base_weights(self, counts: Tensor) -> Tensor:
        mask = (counts > 0).float()
        return mask / mask.sum().clamp(min=1)


class SharedRepresentation(AllTasksNetwork):
    """An all-tasks network whose tasks share one tensor z: ``forward = decode(encode(inputs))``.

    Balancers that work on the representation (MGDA-UB) need this; they take their losses from `decode`.
    """

    @abstractmethod
    def encode(self, inputs: Inputs) -> Tensor:
        """Return z, from inputs (B * V, ...)."""

    @abstractmethod
    def decode(self, z: Tensor) -> list[Tensor]:
        """Return per task the output (B * V, ...), from z."""

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return self.decode(self.encode(inputs))
