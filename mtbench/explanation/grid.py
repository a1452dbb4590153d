"""Places of a map's cells in the image, in pixels; pixel centers are whole numbers, from 0."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone

__all__ = ["Axis", "Grid", "spread", "trace"]

SPATIAL = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The axis of a map: cell i lies at pixel ``start + step * i``."""

    start: float
    step: float

    def at(self, cell: Tensor) -> Tensor:
        """Return the pixels of some cells."""
        return self.start + self.step * cell


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Places of the rows and the columns of a map in the image."""

    rows: Axis
    columns: Axis


def spread(cells: tuple[int, int], size: tuple[int, int]) -> Grid:
    """Return the grid of a map (h, w) that is spread over an image (H, W), as a resized picture is."""
    rows, columns = (
        Axis(start=side / count / 2 - 0.5, step=side / count) for count, side in zip(cells, size, strict=True)
    )
    return Grid(rows=rows, columns=columns)


def trace(backbone: Backbone, level: int) -> Grid:
    """Return the grid of a stage's map before its last nonlinearity: cells are in the middle of their receptive fields.

    A convolution or pooling of kernel k, stride s, padding p and dilation d puts cell i at ``s i - p + d (k - 1) / 2``
    of its input. Without padding, as in LeNet, a map shows only the middle of the image: spread over all of it, its
    maxima would be up to 5 of 28 pixels off. Modules beside the path, such as the projection of a residual block, are
    recognized by their input, which is no longer the present map.

    If layers of another form change the size, the map is spread over the image.

    Args:
        backbone: a backbone whose modules are called, stage by stage, on an image of zeros.
        level: the stage, from 0.
    """
    size = backbone.input_shape[-2], backbone.input_shape[-1]
    follower = _Follower(size)
    parts = [module for module in backbone.stages.modules() if isinstance(module, SPATIAL)]
    hooks = [module.register_forward_hook(follower.passed) for module in parts]
    training = backbone.training
    backbone.eval()
    maps = torch.zeros(1, *backbone.input_shape)
    with torch.no_grad():
        for stage in backbone.levels()[:level]:
            maps = stage(maps)
        maps = backbone.levels()[level].pre(maps)
    backbone.train(training)
    for hook in hooks:
        hook.remove()
    found = int(maps.shape[-2]), int(maps.shape[-1])
    if tuple(follower.size) != found:
        return spread(found, size)
    rows, columns = follower.axes
    return Grid(rows=rows, columns=columns)


class _Follower:
    """The axes and the size of the present map, which is passed through layers."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = list(size)
        self.axes = [Axis(start=0, step=1), Axis(start=0, step=1)]

    def passed(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kernel, stride, dilation = (_pair(getattr(module, name, 1)) for name in ("kernel_size", "stride", "dilation"))
        given = getattr(module, "padding", 0)
        for side in (0, 1):
            if inputs[0].shape[2 + side] != self.size[side]:
                continue
            reach = dilation[side] * (kernel[side] - 1)
            padding = {"same": reach // 2, "valid": 0}[given] if isinstance(given, str) else _pair(given)[side]
            axis = self.axes[side]
            start = axis.start + axis.step * (reach / 2 - padding)
            self.axes[side] = Axis(start=start, step=axis.step * stride[side])
            self.size[side] = output.shape[2 + side]


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value
