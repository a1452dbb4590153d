"""Gradient normalization."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Balancer, Batch, Losses, Network, Task, option

from .task_adam import TaskAdam

__all__ = ["GradNorm"]

LEAST = 1e-3
SMALL = 1e-30  # where every loss is 0, so are the rates


@dataclass(frozen=True, kw_only=True)
class GradNormOptions:
    alpha: float = option(1.5, "how strongly tasks that lag behind are pulled", low=0, search=(0.0, 3.0))
    lr: float = option(0.025, "learning rate of the weights, whatever the network's schedule", low=0)


class GradNorm(Balancer):
    """GradNorm (Chen et al. 2018): weights that give the tasks' gradients one length, corrected for their progress.

    With n_t = |dL_t / dW| in the last shared layer W, G_t = w_t n_t, and L_t(0) the mean loss of the first epoch, from
    the second epoch on, before each step's update of the network::

        r_t = (L_t / L_t(0)) / mean_i(L_i / L_i(0))
        w <- Adam step against the gradient of sum_t |G_t - mean(G) r_t^alpha|, the target held constant (Eq. 2)
        w <- T w / sum(w)

    The network's step is along sum_t (w_t / sum_i w_i) L_t over the tasks that are present, with the weights before the
    update, so that equal weights are uniform on any network.

    Chosen here: the paper starts from the loss of the first batch; the mean of the first epoch varies less, so that
    during the first epoch (and in a run of one) the weights are 1. They are kept above .001 before they are scaled to
    their sum. A task that is absent keeps its weight, and the others keep the sum of theirs; a task that appears later
    is included an epoch later. The gradient of |G_t - target| is n_t sign(G_t - target): no gradient of a gradient is
    computed. For negative losses r_t is not defined. Adam's learning rate is constant.

    Compared with: the rule solved by hand, default tolerance
    (balancers/loss_weights/test_gradnorm.py::test_the_update_is_that_of_the_rule_solved_by_hand).
    """

    Options = GradNormOptions
    paper = "Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing, ICML 2018"
    title = "GradNorm"
    bibtex = """@inproceedings{chen2018gradnorm,
      title = {{GradNorm}: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks},
      author = {Chen, Zhao and Badrinarayanan, Vijay and Lee, Chen-Yu and Rabinovich, Andrew},
      booktitle = {International Conference on Machine Learning (ICML)},
      year = {2018},
    }"""
    needs_shared_parameters = True
    needs_positive_losses = True

    def __init__(self, options: GradNormOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weights: Tensor
        self.initial: Tensor
        self.register_buffer("weights", torch.ones(len(tasks)))
        self.register_buffer("initial", torch.zeros(len(tasks)))  # 0 as long as it is not known
        self.adam = TaskAdam(len(tasks), lr=options.lr)

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        weights = self.weights * losses.present_mask
        factors = losses.base_weights * losses.present_mask.sum() * weights / weights.sum()
        indices = (losses.present_mask & (self.initial > 0)).nonzero().squeeze(1)
        if len(indices) > 1:
            layer = network.last_shared_layer()
            gradients = (
                torch.autograd.grad(total, layer, retain_graph=True, allow_unused=True)[0]
                for total in losses.totals[indices]
            )
            lengths = [layer.new_zeros(()) if gradient is None else gradient.norm() for gradient in gradients]
            self.update(torch.stack(lengths), losses.totals.detach()[indices], indices)
        total = (factors * losses.totals).sum()
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]
        return losses.weighted(factors)

    def update(self, lengths: Tensor, losses: Tensor, indices: Tensor) -> None:
        """Take one step of the weights.

        Args:
            lengths: (P,) n_t of the tasks that are present.
            losses: (P,) L_t.
            indices: (P,) int64, the indices of their tasks.
        """
        weighted = self.weights[indices] * lengths  # G_t
        rates = losses / self.initial[indices]
        targets = weighted.mean() * (rates / rates.mean().clamp(min=SMALL)) ** self.options.alpha
        self.adam.step(self.weights, lengths * (weighted - targets).sign(), indices)
        moved = self.weights[indices].clamp(min=LEAST)
        others = self.weights.sum() - self.weights[indices].sum()
        self.weights[indices] = moved * (len(self.weights) - others) / moved.sum()

    def end_epoch(self, means: Tensor) -> None:
        self.initial = torch.where((self.initial == 0) & ~means.isnan(), means.to(self.initial), self.initial)
