"""Batches: the examples of one training step.

Shapes: B examples, T tasks, V inputs per example (V = 1 unless said otherwise).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["Batch", "Inputs", "each_input"]

Inputs: TypeAlias = Tensor | Mapping[str, Tensor]
"""The inputs of some examples: a tensor, or a mapping of tensors by name."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The data of one step.

    Attributes:
        inputs: float tensors (B * V, ...), normalized, on the split's device; a tensor or a mapping of tensors.
        targets: per task a tensor (B, ...).
        use: (T, B) bool, the label mask of this step: True for labels that are defined and, with `drawn`, of the drawn
            task.
        drawn: (B,) int64, the one task drawn for each example, or None if every task of each example is used.
        inputs_per_example: V, the number of inputs that make up one example.
        rows: (B,) int64, the indices of the examples in the split.
        foreground: see `Split.foreground`.
        points: (B, T, 2), see `Split.points`.
        known_rows: `used_rows` if they were found before the batch was gathered, which avoids waiting for a GPU.
    """

    inputs: Inputs
    targets: tuple[Tensor, ...]
    use: Tensor
    drawn: Tensor | None
    inputs_per_example: int
    rows: Tensor
    foreground: Callable[[Tensor, int], Tensor] | None
    points: Tensor | None = None
    known_rows: tuple[Tensor, ...] | None = None

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """The number of labels that this step may use, per task.

        The first access waits for a GPU, unless `known_rows` are there.
        """
        return tuple(self.use.sum(1).tolist() if self.known_rows is None else map(len, self.known_rows))

    @cached_property
    def used_rows(self) -> tuple[Tensor, ...]:
        """The places (n,) int64 in this batch of the examples whose label this step may use, ascending, per task.

        The first access waits for a GPU, unless `known_rows` are there.
        """
        return tuple(use.nonzero().squeeze(1) for use in self.use) if self.known_rows is None else self.known_rows

    @property
    def present(self) -> tuple[bool, ...]:
        """True for each task that has any label that this step may use."""
        return tuple(count > 0 for count in self.counts)

    def used_inputs(self) -> list[Tensor]:
        """Return per task the indices (n * V,) int64 of the inputs that make up the n examples whose label is used."""
        within = torch.arange(self.inputs_per_example, device=self.use.device)
        return [(rows[:, None] * self.inputs_per_example + within).flatten() for rows in self.used_rows]

    def inputs_at(self, indices: Tensor) -> Inputs:
        """Return the inputs (n, ...) at some indices (n,) int64, which may repeat."""
        return each_input(self.inputs, lambda tensor: tensor[indices])


def each_input(inputs: Inputs, change: Callable[[Tensor], Tensor]) -> Inputs:
    """Return inputs of the same form, with a function applied to each tensor."""
    return change(inputs) if isinstance(inputs, Tensor) else {name: change(value) for name, value in inputs.items()}
