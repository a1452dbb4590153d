"""Batch normalization that is exact on a CPU and accepts a batch of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["BatchNorm", "batch_statistics", "convert_batch_norm", "has_batch_norm", "normalize"]


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization of maps (B, C, H, W), exact on a CPU, which also trains on one image of 1 x 1.

    On a CPU torch 2.14 adds the pixels of channels-last maps one by one. At 300,000 pixels per channel its means have a
    relative error of 1e-3, and the gradient of a whole network one of 1e-2. This module has the precision of float32 in
    every memory format, also if the mean is large relative to the standard deviation. For one image of 1 x 1 see
    `normalize`. Everything else is torch's: options, parameters, buffers, evaluation mode, other devices.

    The harness turns every `nn.BatchNorm2d` of a network that it trains into this class. The gradient on a CPU cannot
    be differentiated again, and torch raises a RuntimeError, unless `twice_differentiable` is set.

    Attributes:
        twice_differentiable: True if the gradient on a CPU can be differentiated again, at twice the memory.
    """

    twice_differentiable: bool = False

    def forward(self, maps: Tensor) -> Tensor:
        count = maps.numel() // maps.shape[1]
        if self.training and count == 1:
            return normalize(self, maps)
        if (self.training or self.running_mean is None) and count > 1 and maps.device.type == "cpu":
            return self._normalize_by_batch(maps.to(torch.promote_types(maps.dtype, torch.float32)))
        return super().forward(maps)

    def _normalize_by_batch(self, maps: Tensor) -> Tensor:
        batch, channels, height, width = maps.shape
        rows = maps.permute(0, 2, 3, 1).reshape(batch * height, width * channels)
        weight, bias = (self.weight, self.bias) if self.affine else (maps.new_ones(channels), maps.new_zeros(channels))
        compute = _normalized if self.twice_differentiable else _NormalizedRows.apply
        normalized, mean, variance = compute(rows, weight, bias, self.eps)
        if self.training and self.running_mean is not None:
            self._track(mean, variance, batch * height * width)
        return cast(Tensor, normalized).view(batch, height, width, channels).permute(0, 3, 1, 2)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics by a batch of `count` pixels; they contain the unbiased variance."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), momentum)


def normalize(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return norm(x), or x normalized by the running statistics if a channel has a single value and so no variance.

    In the latter case the running statistics are not updated.

    torch refuses to train on such a batch; the last one of an epoch may be one.
    """
    if norm.training and x.numel() == x.shape[1]:
        mean, variance = norm.running_mean, norm.running_var
        return nn.functional.batch_norm(x, mean, variance, norm.weight, norm.bias, training=False, eps=norm.eps)
    return cast(Tensor, norm(x))


def convert_batch_norm(network: nn.Module) -> None:
    """Turn every `nn.BatchNorm2d` of a network into a `BatchNorm`, in place: names, parameters, buffers and hooks stay.

    A module keeps its identity, since a network may refer to it in several places. Subclasses are left alone.
    """
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = BatchNorm


def has_batch_norm(network: nn.Module) -> bool:
    """Return True if a network has a batch normalization of any kind."""
    return any(True for _ in _norms(network))


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Make every batch normalization take the statistics of its batch within the block, in evaluation mode too.

    Running statistics are neither used nor updated in the block.
    """
    kept = [(norm, norm.running_mean, norm.running_var) for norm in _norms(network)]
    try:
        for norm, _, _ in kept:
            norm.running_mean = norm.running_var = None
        yield
    finally:
        for norm, mean, variance in kept:
            norm.running_mean, norm.running_var = mean, variance


def _norms(network: nn.Module) -> Iterator[nn.modules.batchnorm._BatchNorm]:
    return (module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm))


class _NormalizedRows(torch.autograd.Function):
    """Normalization of rows (R, W C), each of W pixels of C channels, by the mean and the variance of each channel.

    With means and sums over the n = R W pixels, and g the gradient with respect to y::

        x'     = (x - mean(x)) / s              s = sqrt(mean((x - mean(x))^2) + eps)
        y      = weight x' + bias
        dL/dx  = weight / s (g - mean(g) - x' mean(g x'))       dL/dweight = sum(g x')       dL/dbias = sum(g)

    The mean is subtracted before squaring, and then the mean of the remainder, which is not 0 because of rounding:
    mean(x^2) - mean(x)^2 would lose the digits of mean(x)^2 / s^2.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return the normalized rows, and the mean and the biased variance (C,) of the channels."""
        channels = len(weight)
        mean = _mean(rows, channels)
        centered = rows - _repeated(mean, rows)
        rest = _mean(centered, channels)
        y = centered * centered
        variance = _mean(y, channels) - rest * rest
        inverse = (variance + eps).rsqrt()
        scale = weight * inverse
        torch.addcmul(_repeated(bias - scale * rest, rows), centered, _repeated(scale, rows), out=y)
        mean = mean + rest
        ctx.save_for_backward(centered, rest, inverse, weight)
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        centered, rest, inverse, weight = ctx.saved_tensors
        channels, count = len(weight), g.numel() // len(weight)
        mean = _mean(g, channels)
        dx = g * centered
        product = (_mean(dx, channels) - rest * mean) * inverse  # mean(g x')
        scale = weight * inverse
        slope = -scale * inverse * product
        torch.addcmul(_repeated(-scale * mean - slope * rest, g), centered, _repeated(slope, g), out=dx)
        dx.addcmul_(g, _repeated(scale, g))
        return dx, product * count, mean * count, None


def _normalized(rows: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the result of `_NormalizedRows`, by operations that torch can differentiate any number of times."""
    channels = len(weight)
    mean = _mean(rows, channels)
    centered = rows - _repeated(mean, rows)
    rest = _mean(centered, channels)
    centered = centered - _repeated(rest, rows)
    variance = _mean(centered * centered, channels)
    y = centered * _repeated(weight * (variance + eps).rsqrt(), rows) + _repeated(bias, rows)
    return y, (mean + rest).detach(), variance.detach()


def _mean(rows: Tensor, channels: int) -> Tensor:
    """Return the mean (C,) of each channel over rows (R, W C); torch sums columns in pairs and loses no digits."""
    return rows.mean(0).view(-1, channels).mean(0)


def _repeated(values: Tensor, rows: Tensor) -> Tensor:
    """Return (W C,) the values (C,) of the channels, once for each pixel of a row."""
    return values.repeat(rows.shape[1] // len(values))
