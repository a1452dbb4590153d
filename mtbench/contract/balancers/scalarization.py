"""Balancers that differentiate one number that they make of the losses."""

from abc import abstractmethod

from torch import Tensor

from mtbench.contract.balancers.balancer import Balancer, gradients_in
from mtbench.contract.balancers.losses import Losses
from mtbench.contract.data.batch import Batch
from mtbench.contract.networks.network import Network
from mtbench.contract.promises import check_shape

__all__ = ["LossWeighting", "Scalarization"]


class Scalarization(Balancer):
    """A balancer that makes one number of the losses and takes one ordinary backward pass."""

    @abstractmethod
    def scalar(self, losses: Losses) -> Tensor:
        """Return the number to differentiate, from the losses of the tasks that are present, without the penalty."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = network.losses(batch)
        total = self.scalar(losses)
        check_shape(total, (), self, "scalar", of=f"for {len(losses.means)} tasks", because="the number to descend")
        weights = gradients_in(total, [losses.means])[0]
        if losses.penalty is not None:
            total = total + losses.penalty
        total.backward()  # type: ignore[no-untyped-call]
        return losses.weighted(weights)


class LossWeighting(Scalarization):
    """A balancer that weights the losses. Factors equal to `Losses.base_weights` give the unweighted loss (uniform)."""

    @abstractmethod
    def weigh(self, losses: Losses) -> Tensor:
        """Return the factors (T,) of the losses; those of absent tasks do not matter."""

    def scalar(self, losses: Losses) -> Tensor:
        factors, present = self.weigh(losses), losses.present_mask
        of = f"for {len(present)} tasks"
        check_shape(factors, present.shape, self, "weigh", of=of, because="a factor for each task, present or not")
        return (factors.where(present, 0) * losses.totals.where(present, 0)).sum()
