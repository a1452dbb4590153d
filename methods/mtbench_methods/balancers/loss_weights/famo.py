"""Fast adaptive multitask optimization."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Batch, Conformance, Losses, Network, Scalarization, Task, option

from .task_adam import TaskAdam

__all__ = ["Famo"]

SMALL = 1e-8


@dataclass(frozen=True, kw_only=True)
class FamoOptions:
    lr: float = option(0.025, "learning rate of the logits, whatever the network's schedule", low=0)
    weight_decay: float = option(1e-3, "weight decay of the logits", low=0, search=(1e-5, 1e-2, "log"))


class Famo(Scalarization):
    """FAMO (Liu et al. 2023): all losses should fall at the same relative rate, without a gradient per task.

    With logits x_t, z = softmax(x) over the tasks that are present, and the losses before and after each step::

        loss = sum_t (z_t / c) log L_t,   c = sum_t z_t / L_t held constant              (Algorithm 2)
        x <- Adam step against J^T (log L_before - log L_after),  J = dz / dx

    Losses must be positive.

    Chosen here: measuring the losses after the step needs one more forward pass on the same batch, in training mode as
    in the released code. There it updates the running statistics of batch normalization once more, which no other
    method does; here they are updated once per step. Dropout is drawn twice. The released code clips the shared
    gradient to length 1, as ``preset=paper`` does. Its weight decay differs between its files; the paper's is used.
    Adam's learning rate is constant.

    Compared with: TorchJD's FAMO, atol=1e-5 (balancers/loss_weights/test_famo.py::test_it_is_torchjds_step_by_step).
    """

    Options = FamoOptions
    paper = "Liu et al., FAMO: Fast Adaptive Multitask Optimization, NeurIPS 2023"
    title = "FAMO"
    bibtex = """@inproceedings{liu2023famo,
      title = {{FAMO}: Fast Adaptive Multitask Optimization},
      author = {Liu, Bo and Feng, Yihao and Stone, Peter and Liu, Qiang},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2023},
    }"""
    protocol_presets = {"paper": {"clip": "shared:1"}}  # noqa: RUF012  # the released code, weight_methods.py
    forwards = 1
    needs_positive_losses = True
    # A loss of 0 takes all the weight: the factors are z_t / L_t.
    conformance = Conformance(learns_to=60.0)

    def __init__(self, options: FamoOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logits: Tensor
        self.register_buffer("logits", torch.zeros(len(tasks)))
        self.adam = TaskAdam(len(tasks), lr=options.lr, weight_decay=options.weight_decay)
        self.before = torch.zeros(len(tasks))  # of this step alone

    def scalar(self, losses: Losses) -> Tensor:
        self.before = losses.totals.detach()
        values = losses.totals[losses.present_mask] + SMALL
        weights = self.logits[losses.present_mask].softmax(0)
        return (weights / (weights / values.detach()).sum() * values.log()).sum()

    def after_step(self, network: Network, batch: Batch) -> Losses:
        with torch.no_grad():
            losses = network.losses(batch)
        indices = losses.present_indices
        fall = (self.before[indices] + SMALL).log() - (losses.totals[indices] + SMALL).log()
        weights = self.logits[indices].softmax(0)
        self.adam.step(self.logits, weights * (fall - weights @ fall), indices)  # J^T fall
        return losses
