"""Smooth Tchebycheff scalarization."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Losses, Scalarization, option

__all__ = ["Stch"]


@dataclass(frozen=True, kw_only=True)
class StchOptions:
    mu: float = option(0.1, "smoothness: the less the nearer to the greatest loss", low=1e-6, search=(0.01, 1.0, "log"))


class Stch(Scalarization):
    """STCH (Lin et al. 2024): a smooth form of the largest loss, mu log sum_t exp(L_t / (P mu)).

    Chosen here: preferences are equal, 1/P over the P tasks that are present, and the ideal point is 0, so that equal
    losses have weights of 1/P^2: the gradient is then that of `uniform` divided by P, and never longer than 1/P of the
    longest of the tasks'. The paper tries mu in .01, .1, .5 and 1 and finds small ones good; the default here is .1.
    The authors' code for networks takes the logarithm of each loss relative to that of some epochs of warm-up, which
    the formula does not have.

    Compared with: TorchJD's STCH, rel=1e-6, rtol=1e-5
    (balancers/loss_weights/test_stch.py::test_it_is_torchjds_where_all_tasks_are_present).
    """

    Options = StchOptions
    paper = "Lin et al., Smooth Tchebycheff Scalarization for Multi-Objective Optimization, ICML 2024"
    title = "STCH"
    bibtex = """@inproceedings{lin2024smooth,
      title = {Smooth {Tchebycheff} Scalarization for Multi-Objective Optimization},
      author = {Lin, Xi and Zhang, Xiaoyuan and Yang, Zhiyuan and Liu, Fei and Wang, Zhenkun and Zhang, Qingfu},
      booktitle = {International Conference on Machine Learning (ICML)},
      year = {2024},
    }"""

    def scalar(self, losses: Losses) -> Tensor:
        values = losses.totals[losses.present_mask]
        mu = float(self.options.mu)
        return mu * torch.logsumexp(values / (len(values) * mu), dim=0)
