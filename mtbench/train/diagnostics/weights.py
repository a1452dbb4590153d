"""The task weights that a balancer uses, step by step, as a mean and a range."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtbench.contract import Losses, Task
from mtbench.store.record import WeightRange

__all__ = ["WeightMeter"]


class WeightMeter:
    """Mean and range of each task's weight over the steps since the last point of the curve.

    Its state is part of a checkpoint, since a run may be resumed between two points.
    """

    def __init__(self, tasks: Sequence[Task], device: torch.device) -> None:
        self.names = [task.name for task in tasks]
        self.device = device
        self.clear()

    def clear(self) -> None:
        """Forget all steps."""
        shape = len(self.names), torch.float64, self.device
        self.sums, self.counts = _filled(0.0, *shape), _filled(0.0, *shape)
        self.low, self.high = _filled(torch.inf, *shape), _filled(-torch.inf, *shape)

    def observe(self, losses: Losses) -> None:
        """Add one step; a step without weights adds nothing."""
        if losses.weights is None:
            return
        weights, used = losses.weights.double(), losses.present_mask
        self.sums += weights.where(used, 0.0)
        self.counts += used
        self.low = torch.minimum(self.low, weights.where(used, torch.inf))
        self.high = torch.maximum(self.high, weights.where(used, -torch.inf))

    def result(self) -> Mapping[str, WeightRange] | None:
        """Return the weights by task, without tasks that were absent; None if no step had weights."""
        rows = zip(self.names, *(part.tolist() for part in self._parts()), strict=True)
        found = {
            name: WeightRange(mean=total / count, low=low, high=high) for name, total, count, low, high in rows if count
        }
        return found or None

    def state(self) -> Tensor:
        """Return everything that `restore` needs, (4, T)."""
        return torch.stack(self._parts())

    def restore(self, state: Tensor) -> None:
        """Continue from a `state`."""
        self.sums, self.counts, self.low, self.high = state.to(self.device).unbind()

    def _parts(self) -> tuple[Tensor, ...]:
        return self.sums, self.counts, self.low, self.high


def _filled(value: float, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.full((length,), value, dtype=dtype, device=device)
