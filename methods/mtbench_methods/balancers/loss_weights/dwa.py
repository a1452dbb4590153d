"""Dynamic weight average."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Losses, LossWeighting, Task, option

__all__ = ["Dwa"]


@dataclass(frozen=True, kw_only=True)
class DwaOptions:
    temperature: float = option(2.0, "the greater, the more alike are the weights", low=1e-3, search=(0.5, 8.0, "log"))


class Dwa(LossWeighting):
    """Dynamic weight average (Liu et al. 2019): tasks whose losses fall slowly get larger weights.

    With L_t(q) the mean training loss of epoch q, from the third epoch on (Eq. 7)::

        r_t = L_t(q-1) / L_t(q-2),    w_t = P exp(r_t / temperature) / sum_i exp(r_i / temperature)

    over the P tasks that are present; r_t = 1 before that, and equal weights are uniform.

    Chosen here: a task that was absent for a whole epoch keeps its r_t, and its next one compares the last two epochs
    in which it was present; a loss that has been 0 has no rate, and the last one stays. For negative losses the ratio
    is not defined. The means are over labels, whereas the paper's are over batches.

    Compared with: TorchJD's DWA, rel=1e-5 (balancers/loss_weights/test_dwa.py::test_it_is_torchjds_epoch_by_epoch); two
    epochs by hand, abs=1e-6 (balancers/loss_weights/test_dwa.py::test_a_task_that_falls_slowly_weighs_more).
    """

    Options = DwaOptions
    needs_positive_losses = True
    paper = "Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019"
    title = "DWA"
    bibtex = """@inproceedings{liu2019end,
      title = {End-to-End Multi-Task Learning with Attention},
      author = {Liu, Shikun and Johns, Edward and Davison, Andrew J.},
      booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2019},
    }"""

    def __init__(self, options: DwaOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.rates: Tensor
        self.last: Tensor
        self.register_buffer("rates", torch.ones(len(tasks), dtype=torch.float64))
        self.register_buffer("last", torch.zeros(len(tasks), dtype=torch.float64))  # 0 as long as there is none

    def weigh(self, losses: Losses) -> Tensor:
        present = losses.present_mask  # a mask, since selecting by it waits for a GPU
        shares = (self.rates / self.options.temperature).where(present, -torch.inf).softmax(0)
        weights: Tensor = losses.base_weights * (present.sum() * shares).to(losses.base_weights)
        return weights

    def end_epoch(self, means: Tensor) -> None:
        known = ~means.isnan()
        self.rates = torch.where(known & (self.last > 0), means / self.last, self.rates)
        self.last = torch.where(known, means, self.last)
