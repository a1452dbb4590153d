"""Random weights."""

import torch
from torch import Tensor

from mtbench.contract import Losses, LossWeighting

__all__ = ["Random"]


class Random(LossWeighting):
    """Random loss weighting (Lin et al. 2022): at each step the losses are weighted by softmax(N(0, I)).

    The weights of the P tasks that are present sum to 1 and replace their weights 1/P. They are drawn from torch's
    global generator, on the CPU.

    Chosen here: weights are drawn among the tasks that are present.

    Compared with: TorchJD's Random with the same random numbers, rel=1e-6
    (balancers/loss_weights/test_random.py::test_it_is_torchjds_where_all_tasks_are_present).
    """

    paper = "Lin et al., Reasonable Effectiveness of Random Weighting, TMLR 2022"
    title = "RLW"
    bibtex = """@article{lin2022reasonable,
      title = {Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning},
      author = {Lin, Baijiong and Ye, Feiyang and Zhang, Yu and Tsang, Ivor W.},
      journal = {Transactions on Machine Learning Research},
      year = {2022},
    }"""

    def weigh(self, losses: Losses) -> Tensor:
        mask = losses.present_mask
        count = int(mask.sum())
        weights = torch.zeros_like(losses.base_weights)
        weights[mask] = torch.randn(count).softmax(0).to(weights)
        return losses.base_weights * count * weights
