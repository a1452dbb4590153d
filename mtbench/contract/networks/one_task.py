"""Networks that answer one given task of each input. Shapes: see `mtbench.contract.networks.network`."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from mtbench.contract.data.batch import Batch, Inputs
from mtbench.contract.networks.network import Network

__all__ = ["OneTaskNetwork"]


class OneTaskNetwork(Network):
    """A network whose ``forward(inputs, task)`` answers one task per input, by one head as wide as the widest task.

    In training one task is drawn for each image; evaluation uses each task that has a label. Its unweighted loss is the
    mean over the labels used, of any task.
    """

    one_task = True

    @abstractmethod
    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        """Return (B * V, widest), from inputs (B * V, ...) and the index of the task of each input (B * V,) int64."""

    def all_outputs(self, inputs: Inputs) -> list[Tensor]:
        return [self.task_output(inputs, index) for index in range(len(self.tasks))]

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        return self.answers(batch, lambda indices, task: self(batch.inputs_at(indices), task))

    def answers(self, batch: Batch, answer: Callable[[Tensor, Tensor], Tensor]) -> list[Tensor]:
        """Return `used_outputs` from a function that answers pairs of an input and a task.

        Args:
            answer: a function from indices (n,) of inputs of the batch and a task (n,) for each to outputs (n, widest,
                ...). It is called with at most as many pairs at a time as the batch has inputs.
        """
        pairs = batch.used_inputs()
        counts = [len(indices) for indices in pairs]
        if not any(counts):
            return [batch.use.new_empty(0) for _ in pairs]
        indices = torch.cat(pairs)
        asked = torch.cat([torch.full_like(each, index) for index, each in enumerate(pairs)])
        at_once = len(batch.rows) * batch.inputs_per_example
        pieces = zip(torch.split(indices, at_once), torch.split(asked, at_once), strict=True)
        outputs = torch.cat([answer(*piece) for piece in pieces])
        return [self.fitted_to(index, part) for index, part in enumerate(torch.split(outputs, counts))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.fitted_to(index, self(inputs, self.asking(inputs, index)))

    def training_outputs(self, batch: Batch) -> list[Tensor]:
        if batch.drawn is None:
            return self.all_outputs(batch.inputs)
        return self.fitted(self(batch.inputs, batch.drawn.repeat_interleave(batch.inputs_per_example)))

    def passes(self, batch: Batch) -> int:
        return len(self.tasks) if batch.drawn is None else 1

    def base_weights(self, counts: Tensor) -> Tensor:
        return counts / counts.sum().clamp(min=1)

    @staticmethod
    def asking(inputs: Inputs, index: int) -> Tensor:
        """Return the index of one task, once per input: (B * V,) int64."""
        first = inputs if isinstance(inputs, Tensor) else next(iter(inputs.values()))
        return torch.full((len(first),), index, device=first.device)

    def fitted(self, output: Tensor) -> list[Tensor]:
        """Return the output (B * V, widest) as each task reads it, without the surplus columns: a list of T views."""
        return [self.fitted_to(index, output) for index in range(len(self.tasks))]

    def fitted_to(self, index: int, output: Tensor) -> Tensor:
        """Return the output (B * V, widest) as one task reads it: a view."""
        return output[:, : self.tasks[index].kind.output_size]

    @property
    def widest(self) -> int:
        """The width of the one head."""
        return max(task.kind.output_size for task in self.tasks)
