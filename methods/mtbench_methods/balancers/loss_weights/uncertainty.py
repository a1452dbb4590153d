"""Uncertainty weighting."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.contract import Conformance, Losses, Scalarization, Task, option

__all__ = ["Uncertainty"]


@dataclass(frozen=True, kw_only=True)
class UncertaintyOptions:
    lr: float = option(
        0.025, "learning rate of the log-variances; it falls as the network's does", low=0, search=(1e-3, 1e-1, "log")
    )


class Uncertainty(Scalarization):
    """Uncertainty weighting (Kendall et al. 2018): each loss is divided by a learned variance.

    sum_t (exp(-s_t) L_t / 2 + s_t / 2) over the tasks that are present, s_t the log-variance of task t, initially 0:
    the form for regression, which the released code uses throughout. The paper's form for classification, exp(-s_t) L_t
    + s_t / 2, differs by a shift of s_t by log 2.

    Chosen here: with the network's learning rate s_t hardly leaves 0, so it has its own. With a negative loss s_t would
    fall without bound. Each s_t is one parameter, so that the optimizer's momentum does not move an absent task's.

    Compared with: TorchJD's UW, step by step, atol=1e-6
    (balancers/loss_weights/test_uncertainty.py::test_it_is_torchjds_step_by_step).
    """

    Options = UncertaintyOptions
    needs_positive_losses = True
    paper = "Kendall et al., Multi-Task Learning Using Uncertainty to Weigh Losses, CVPR 2018"
    title = "Uncertainty"
    bibtex = """@inproceedings{kendall2018multi,
      title = {Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics},
      author = {Kendall, Alex and Gal, Yarin and Cipolla, Roberto},
      booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2018},
    }"""
    conformance = Conformance(same_as=frozenset({"imtl-l"}))

    def __init__(self, options: UncertaintyOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.learning_rate = options.lr
        self.log_variances = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in tasks])

    def scalar(self, losses: Losses) -> Tensor:
        tasks = zip(self.log_variances, losses.totals, losses.present_mask.tolist(), strict=True)
        return torch.stack([0.5 * (-s).exp() * mean + 0.5 * s for s, mean, present in tasks if present]).sum()
