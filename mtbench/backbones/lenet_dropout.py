"""LeNet with the dropout of Sener & Koltun's released code."""

from typing import Any

import torch
from torch import Tensor, nn

from mtbench.backbones.lenet import LeNet, LeNetSize

__all__ = ["LeNetDropout"]

KEPT = 0.5
"""The probability with which a mask keeps what it is multiplied with."""


class LeNetDropout(LeNet):
    """LeNet with two dropout masks in training, as in the code that Sener & Koltun (2018) released.

    ::

        conv2   m a2             m (1, 20, 1, 1), one draw for all images of a pass, and so for all tasks that share it
        head    n_t relu(fc1)    n_t (B, 50), one draw for each head and image

    The entries of m and n are 0 or 1 with probability 1/2, drawn from torch's global generator. As in that code neither
    is divided by the probability, and in evaluation there is no mask: activations behind one are then on average twice
    what they were in training, and nothing makes up for it.

    m comes after the place where methods modulate the map, before its nonlinearity; that and the pooling commute with
    it. A network that goes through the backbone once for each task draws m each time. Initial weights and names of
    parameters are LeNet's.
    """

    Options = LeNetSize

    def masks(self, options: Any) -> tuple[nn.Module, ...]:  # noqa: ARG002
        return ChannelMask(), ElementMask()


class ElementMask(nn.Module):
    """Each element kept or set to 0, in training."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * torch.bernoulli(x.new_full(self.shape(x), KEPT))

    def shape(self, x: Tensor) -> torch.Size:
        """The shape of the mask."""
        return x.shape


class ChannelMask(ElementMask):
    """Each channel of maps (B, C, H, W) kept or set to 0 in training, for all images alike."""

    def shape(self, x: Tensor) -> torch.Size:
        return torch.Size((1, x.shape[1], 1, 1))
