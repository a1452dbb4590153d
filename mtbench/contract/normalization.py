"""Batch normalization that bears a batch of one."""

from typing import cast

from torch import Tensor, nn

__all__ = ["BatchNorm", "normalize"]


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization of maps (B, C, H, W) that trains on one image of 1 x 1 too; see `normalize`."""

    def forward(self, maps: Tensor) -> Tensor:
        if self.training and _is_one_value(maps):
            return normalize(self, maps)
        return super().forward(maps)


def normalize(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    """norm(x) or, where a channel has a single value, which has no variance, by the running statistics, left alone.

    torch refuses to train on such a batch; the last one of an epoch may be one.
    """
    if norm.training and _is_one_value(x):
        mean, variance = norm.running_mean, norm.running_var
        return nn.functional.batch_norm(x, mean, variance, norm.weight, norm.bias, training=False, eps=norm.eps)
    return cast(Tensor, norm(x))


def _is_one_value(x: Tensor) -> bool:
    return x.numel() == x.shape[1]
