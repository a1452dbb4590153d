"""Dynamic weight average."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Losses, LossWeighting, Task, option

__all__ = ["Dwa"]


@dataclass(frozen=True, kw_only=True)
class DwaOptions:
    temperature: float = option(2.0, "the more the more alike are the weights", low=1e-3)


class Dwa(LossWeighting):
    """Dynamic weight average (Liu et al. 2019): tasks whose losses fall slowly weigh more.

    With L_t(q) the mean training loss of epoch q, from the third epoch on (Eq. 7)::

        r_t = L_t(q-1) / L_t(q-2),    w_t = P exp(r_t / temperature) / sum_i exp(r_i / temperature)

    over the P tasks that are present; w_t = 1 before, and equal weights are uniform. A task that was absent for a whole
    epoch keeps the losses of the last two that it was in.
    """

    Options = DwaOptions
    paper = "Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019"

    def __init__(self, options: DwaOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.last: Tensor
        self.before: Tensor
        for name in ("last", "before"):
            self.register_buffer(name, torch.full((len(tasks),), torch.nan, dtype=torch.float64))

    def weigh(self, losses: Losses) -> Tensor:
        rates = torch.where(self.before.isnan(), 1.0, self.last / self.before)[losses.present]
        weights = torch.zeros_like(losses.share)
        weights[losses.present] = (len(rates) * (rates / self.options.temperature).softmax(0)).to(weights)
        return losses.share * weights

    def end_epoch(self, means: Tensor) -> None:
        known = ~means.isnan()
        self.before[known] = self.last[known]
        self.last[known] = means[known].to(self.last)
