"""Losses of one batch: the reported means, and the totals that are trained on and balanced.

Shapes: T tasks, P of them present.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract.authors import place_of_caller
from mtbench.errors import PluginError

__all__ = ["Losses"]


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Losses of one batch, per task.

    Attributes:
        means: (T,) the mean loss over the labels that were used; 0 for a task with none. These are reported.
        counts: (T,) int64, the number of labels that were used.
        base_weights: (T,) the task weights of the unweighted loss of the batch, ``sum(base_weights * totals)``.
        auxiliary: (T,) the weighted sum of other terms that each task is trained on, such as a localization loss; 0 for
            a task with no label in the batch. None if there is no such term.
        penalty: a term that belongs to no task, such as a regularizer of weights.
        weights: (T,) the task weights that the balancer used, see `Balancer.backward`; NaN for a task that is absent,
            None if no weights describe the step.
        solved: True if the balancer met the condition that defines its rule, see `Combined.solved`.

    Raises:
        PluginError: a tensor has another shape.
    """

    means: Tensor
    counts: Tensor
    base_weights: Tensor
    auxiliary: Tensor | None = None
    penalty: Tensor | None = None
    weights: Tensor | None = None
    solved: bool = True

    def __post_init__(self) -> None:
        if self.means.dim() != 1:
            raise _wrong(f"`means` of shape {tuple(self.means.shape)}", "(T,), a number for each task")
        expected = self.means.shape
        given = {"counts": self.counts, "base_weights": self.base_weights, "auxiliary": self.auxiliary}
        for name, value in {**given, "weights": self.weights}.items():
            if value is not None and value.shape != expected:
                raise _wrong(f"`{name}` of shape {tuple(value.shape)}", f"{tuple(expected)}, a number for each task")
        if self.penalty is not None and self.penalty.dim():
            raise _wrong(f"a `penalty` of shape {tuple(self.penalty.shape)}", "(), one number")

    @property
    def totals(self) -> Tensor:
        """The losses (T,) that are trained on and balanced: the means with the auxiliary terms."""
        return self.means if self.auxiliary is None else self.means + self.auxiliary

    @property
    def present_mask(self) -> Tensor:
        """(T,) bool, true for each task that has a label in this batch."""
        return self.counts > 0

    @property
    def present_indices(self) -> Tensor:
        """(P,) int64, the indices of the P tasks that have a label in this batch."""
        return self.present_mask.nonzero().squeeze(1)

    def weighted(self, weights: Tensor | None) -> "Losses":
        """Return these losses with the task weights (T,) that a balancer used; those of absent tasks become NaN."""
        if weights is None:
            return self
        return dataclasses.replace(self, weights=weights.detach().where(self.present_mask, torch.nan))


def _wrong(given: str, expected: str) -> PluginError:
    return PluginError(f"`Losses` have {given}, and should have shape {expected}.", where=place_of_caller())
