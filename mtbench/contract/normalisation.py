"""Batch normalisation that is exact on channels-last maps and bears a batch of one."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["BatchNorm", "normalise"]


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation of maps (B, C, H, W), exact on a CPU, that trains on one image of 1 x 1 too.

    On a CPU, torch 2.14 adds up the pixels of channels-last maps one by one: at 300,000 pixels a channel, its means have
    three digits, and the gradient of a whole network two. Here they are exact to float32's precision, in every memory
    format, and where the mean is large relative to the deviation. For one image of 1 x 1 see `normalise`. All else is
    torch's own: parameters, buffers, evaluation, and what is done on other devices.
    """

    def forward(self, maps: Tensor) -> Tensor:
        count = maps.numel() // maps.shape[1]
        if self.training and count == 1:
            return normalise(self, maps)
        if (self.training or self.running_mean is None) and count > 1 and maps.device.type == "cpu":
            return self._normalise_by_batch(maps)
        return super().forward(maps)

    def _normalise_by_batch(self, maps: Tensor) -> Tensor:
        batch, channels, height, width = maps.shape
        rows = maps.permute(0, 2, 3, 1).reshape(batch * height, width * channels)
        weight, bias = (self.weight, self.bias) if self.affine else (maps.new_ones(channels), maps.new_zeros(channels))
        normalised, mean, variance = _NormalisedRows.apply(rows, weight, bias, self.eps)
        if self.training and self.running_mean is not None:
            self._track(mean, variance, batch * height * width)
        return cast(Tensor, normalised).view(batch, height, width, channels).permute(0, 3, 1, 2)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take the statistics of a batch of `count` pixels into the running ones, the variance without bias."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), momentum)


def normalise(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    """norm(x) or, where a channel has a single value, which has no variance, by the running statistics, left alone.

    torch refuses to train on such a batch; the last one of an epoch may be one.
    """
    if norm.training and _is_one_value(x):
        mean, variance = norm.running_mean, norm.running_var
        return nn.functional.batch_norm(x, mean, variance, norm.weight, norm.bias, training=False, eps=norm.eps)
    return cast(Tensor, norm(x))


class _NormalisedRows(torch.autograd.Function):
    """Rows (R, W C), W pixels of C channels each, normalised by the mean and the variance of each channel.

    With n = R W, means over all pixels, and g the gradient in y::

        y      = weight x' + bias                             x' = (x - mean) / sqrt(variance + eps)
        dL/dx  = weight (g - mean(g) - x' mean(g x')) / sqrt(variance + eps)      dL/dweight = sum(g x')

    The variance is taken of c = x - m, where m is the mean as rounded, and what the mean of c differs from 0 by is
    accounted for: the mean of the squares less the square of the mean would lose the digits that mean^2 / variance has.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        """The normalised rows, and the mean and the biased variance (C,) of the channels."""
        rounded = _mean(rows, len(weight))
        centred = rows - _along(rounded, rows)
        rest = _mean(centred, len(weight))
        y = centred * centred
        variance = _mean(y, len(weight)) - rest * rest
        inverse = (variance + eps).rsqrt()
        scale = weight * inverse
        torch.addcmul(_along(bias - rest * scale, rows), centred, _along(scale, rows), out=y)
        ctx.save_for_backward(centred, rest, inverse, weight)
        mean = rounded + rest
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable  # type: ignore[misc]
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        centred, rest, inverse, weight = ctx.saved_tensors
        count = gradient.numel() // len(weight)
        g = _mean(gradient, len(weight))
        g_rows = gradient * centred
        g_weight = (_mean(g_rows, len(weight)) - rest * g) * inverse  # mean(g x')
        scale = weight * inverse
        slope = -scale * inverse * g_weight
        offset = -scale * g - slope * rest
        torch.addcmul(_along(offset, gradient), centred, _along(slope, gradient), out=g_rows)
        g_rows.addcmul_(gradient, _along(scale, gradient))
        return g_rows, g_weight * count, g * count, None


def _mean(rows: Tensor, channels: int) -> Tensor:
    """(C,) the mean of each channel over rows (R, W C). Along columns torch adds in pairs, and so loses no digits."""
    return rows.sum(0).view(-1, channels).sum(0) / (rows.numel() // channels)


def _along(values: Tensor, rows: Tensor) -> Tensor:
    """The values (C,) of the channels, once for each pixel of a row: (W C,)."""
    return values.repeat(rows.shape[1] // len(values))


def _is_one_value(x: Tensor) -> bool:
    return x.numel() == x.shape[1]
