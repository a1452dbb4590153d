"""Gradient sign dropout."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Combined, GradientBalancer, Task

__all__ = ["GradDrop"]


class GradDrop(GradientBalancer):
    """GradDrop (Chen et al. 2020): each entry of the gradient keeps one sign, drawn by the signs of the tasks.

    With p = (1 + sum_t g_t / sum_t |g_t|) / 2 in each entry, the positive gradients of that entry are kept with
    probability p and the negative ones otherwise; the update is their sum. Task-specific parameters receive the
    unweighted gradient of their task. Signs are drawn from torch's global generator.

    Chosen here: it is applied to the gradients in the shared parameters, as in TorchJD (the paper: in the
    representation).

    Compared with: TorchJD's GradDrop with the same random numbers, exactly
    (balancers/gradient_surgery/test_graddrop.py::test_it_is_torchjds_with_the_same_signs_drawn).
    """

    paper = "Chen et al., Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout, NeurIPS 2020"
    title = "GradDrop"
    bibtex = """@inproceedings{chen2020just,
      title = {Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout},
      author = {Chen, Zhao and Ngiam, Jiquan and Huang, Yanping and Luong, Thang and Kretzschmar, Henrik and Chai,
        Yuning and Anguelov, Dragomir},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2020},
    }"""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        from torchjd.aggregation import GradDrop as Aggregator  # takes more than a second

        self.aggregator = Aggregator()

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        finite = bool(torch.isfinite(gradients).all())
        return Combined(shared=self.aggregator(gradients) if finite else gradients.sum(0))

    def gain(self, count: int) -> float:
        return float(count)
