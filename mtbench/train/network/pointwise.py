"""Convolutions of 1 x 1 with a stride, computed in a way that is safe on a CPU."""

from torch import Tensor, nn

__all__ = ["Pointwise", "convert_pointwise"]

FEW = 16
"""Number of input channels from which that gradient is safe, for any instruction set."""


class Pointwise(nn.Conv2d):
    """A 1 x 1 convolution that first drops the pixels that its stride skips: the same numbers.

    With a stride and few input channels, oneDNN 3.12 (torch 2.14.1) may write beyond its buffer for the gradient of the
    weight on a CPU (its issue 6035): the process ends, or its memory is silently damaged.
    """

    def forward(self, input: Tensor) -> Tensor:  # the name that its parent gives it
        down, across = self.stride
        return nn.functional.conv2d(input[:, :, ::down, ::across], self.weight, self.bias, groups=self.groups)


def convert_pointwise(network: nn.Module) -> None:
    """Turn every 1 x 1 convolution of a network with a stride and few input channels into a `Pointwise`, in place.

    Names, parameters and hooks stay. Subclasses of `nn.Conv2d` are left alone.
    """
    for module in network.modules():
        if (
            type(module) is nn.Conv2d
            and module.kernel_size == (1, 1)
            and module.stride != (1, 1)
            and module.padding in ((0, 0), "valid")
            and module.in_channels // module.groups < FEW
        ):
            module.__class__ = Pointwise
