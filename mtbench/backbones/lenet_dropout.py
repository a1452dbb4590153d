"""LeNet with the dropout of Sener & Koltun's released code."""

from typing import Any

import torch
from torch import Tensor, nn

from mtbench.backbones.lenet import LeNet, LeNetSize

__all__ = ["LeNetDropout"]

KEPT = 0.5
"""The probability with which a mask keeps an element."""


class LeNetDropout(LeNet):
    """LeNet with two dropout masks in training, as in the code that Sener & Koltun (2018) released.

    ::

        conv2   m a2             m (1, 20, 1, 1), one draw for all images of a pass, and so for all tasks that share it
        head    n_t relu(fc1)    n_t (B, 50), one draw for each head and image

    The entries of m and n are 0 or 1 with probability 1/2, drawn from torch's global generator. As in that code neither
    is divided by the probability, and in evaluation there is no mask: activations after a mask are then on average
    twice as large as in training, and nothing compensates for it.

    m comes after the place where methods modulate the map, before its nonlinearity; the nonlinearity and the pooling
    commute with it. A network that passes through the backbone once per task draws m each time. Initial weights and
    names of parameters are LeNet's.
    """

    Options = LeNetSize

    def masks(self, options: Any) -> tuple[nn.Module, ...]:  # noqa: ARG002
        return ChannelMask(), ElementMask()


class ElementMask(nn.Module):
    """A mask that keeps each element or sets it to 0, in training."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * torch.bernoulli(x.new_full(self.shape(x), KEPT))

    def shape(self, x: Tensor) -> torch.Size:
        """Return the shape of the mask."""
        return x.shape


class ChannelMask(ElementMask):
    """A mask that keeps each channel of maps (B, C, H, W) or sets it to 0 in training, the same for all images."""

    def shape(self, x: Tensor) -> torch.Size:
        return torch.Size((1, x.shape[1], 1, 1))
