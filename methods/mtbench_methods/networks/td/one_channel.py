"""Convolutions between one channel and several, such as those next to the image, fast on a CPU.

oneDNN pads a single channel to a whole vector of 16, of which 15 are zeros, if that channel is the output: in the
convolution from several channels to one, and in the gradient of the input of the convolution from one to several. Both
are one transposed convolution, see `spread`, which takes a third of the time.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.nn.grad import conv2d_weight

__all__ = ["MANY", "OneChannel", "convert_one_channel", "spread"]

MANY = 16
"""Smallest number of images for which the faster form is used.

One example has fewer inputs, so that its multiply-accumulates are counted on the plain form.
"""
SIDE = 4
"""Number of pixels that are multiplied at a time: with 5 x 5 kernels the sums have 8 columns, a whole vector."""


def convert_one_channel(network: nn.Module) -> None:
    """Turn convolutions from one channel to several or back into `OneChannel`, in place.

    Only convolutions that lose only a margin, or undo that, are converted. Names, parameters and hooks stay. Subclasses
    of `nn.Conv2d` are left alone.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _fits(module):
            module.__class__ = OneChannel


class OneChannel(nn.Conv2d):
    """A convolution with one channel on one side or both.

    It is plain on other devices, under autocast, whose dtypes differ from those of the weights, and for a few images.
    """

    def forward(self, input: Tensor) -> Tensor:  # the name that its parent gives it
        weight, bias = self.weight, cast(Tensor, self.bias)
        if len(input) < MANY or input.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        if self.kernel_size == (1, 1):  # from one channel to one
            return _laid_out(torch.addcmul(bias, input, weight))
        width = input.shape[3]
        if self.in_channels > 1 and width % SIDE == 0:
            return cast(Tensor, _ToOne.apply(input, _laid_out(weight.flip(2, 3).transpose(0, 1)), bias))
        if self.in_channels == 1 and (width - self.kernel_size[1] + 1) % SIDE == 0 and input.requires_grad:
            return cast(Tensor, _FromOne.apply(input, weight, bias))
        return super().forward(input)


def spread(maps: Tensor, weight: Tensor) -> Tensor:
    """Return the transposed convolution to one channel, (B, 1, H + h - 1, W + w - 1), in channels-last format.

    Each piece of a row, `SIDE` pixels of all channels, is multiplied by a banded matrix: it has one row of kernels for
    each pixel, shifted by one place to the right for each pixel. The product is the piece's contribution to h rows of
    the sums, SIDE + w - 1 wide, around it::

        pixel 0   k k k k k . . .      for each of the h rows of the kernel, and each channel
        pixel 1   . k k k k k . .
        pixel 2   . . k k k k k .
        pixel 3   . . . k k k k k

    Args:
        maps: (B, C, H, W), W a multiple of `SIDE`.
        weight: (C, 1, h, w).
    """
    (batch, channels, height, width), (rows, columns) = maps.shape, weight.shape[2:]
    pieces, reach = width // SIDE, SIDE + columns - 1
    pixels = maps.permute(0, 2, 3, 1).reshape(-1, SIDE * channels)
    band = torch.stack([pad(weight[:, 0], (pixel, SIDE - 1 - pixel)) for pixel in range(SIDE)])  # (SIDE, C, h, reach)
    added = (pixels @ band.view(SIDE * channels, rows * reach)).view(batch, height, pieces, rows, reach)
    sums = maps.new_zeros(batch, height + rows - 1, width + columns - 1)
    for piece in range(pieces):
        left = piece * SIDE
        for row in range(rows):
            sums[:, row : row + height, left : left + reach] += added[:, :, piece, row]
    return _laid_out(sums.unsqueeze(1))


def _laid_out(maps: Tensor) -> Tensor:
    """Return maps (B, 1, H, W) with the strides of channels last.

    One channel is contiguous in any format, and oneDNN takes 2.7 times as long for the gradient of a weight if the
    strides are those of another one.
    """
    return maps.squeeze(1).unsqueeze(-1).permute(0, 3, 1, 2)


class _FromOne(torch.autograd.Function):
    """The convolution of one channel (B, 1, H, W) by a weight (C, 1, h, w)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x = _laid_out(x)
        ctx.save_for_backward(x, weight)
        return conv2d(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return spread(g, weight), _weight_gradient(x, weight, g), g.sum((0, 2, 3))


class _ToOne(torch.autograd.Function):
    """The transposed convolution of maps (B, C, H, W) to one channel by a weight (C, 1, h, w)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return spread(x, weight) + bias

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        g = _laid_out(g)
        return conv2d(g, weight), _weight_gradient(g, weight, x), g.sum().view(1)


def _weight_gradient(x: Tensor, weight: Tensor, g: Tensor) -> Tensor:
    """Return the gradient of the weight of conv2d(x, weight), given that of its outputs."""
    return cast(Tensor, conv2d_weight(x, weight.shape, g))  # type: ignore[no-untyped-call]


def _fits(module: nn.Conv2d) -> bool:
    if module.stride != (1, 1) or module.dilation != (1, 1) or module.groups > 1 or module.padding_mode != "zeros":
        return False
    channels, margin = (module.in_channels, module.out_channels), tuple(size - 1 for size in module.kernel_size)
    if module.bias is None or 1 not in channels:
        return False
    if module.kernel_size == (1, 1):
        return channels == (1, 1) and module.padding == (0, 0)
    return module.padding == (0, 0) if module.in_channels == 1 else module.padding == margin
