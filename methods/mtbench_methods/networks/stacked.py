"""Backbones of one plain shape that are computed as one, with their channels beside each other."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Backbone, is_plain

__all__ = ["can_stack", "walk_stacked"]

BY_CHANNEL = (nn.MaxPool2d, nn.ReLU, nn.Identity)
"""Layers without parameters that treat each channel separately, as torch's own classes."""


def can_stack(backbones: Sequence[Backbone]) -> bool:
    """Return True if `walk_stacked` gives the results of the backbones, which are of one class and built alike.

    This holds for LeNet: at least two backbones whose stages are a convolution and then layers of `BY_CHANNEL`, and
    whose neck is a flattening, a linear layer and a relu. Each module must be torch's own class without hooks, since
    hooks would not be called.
    """
    if is_plain() or len(backbones) < 2:
        return False
    return all(
        type(backbone).walk is Backbone.walk
        and all(_is_convolution(stage.pre) and _is_by_channel(stage.post) for stage in backbone.levels())
        and [type(layer) for layer in backbone.neck.children()] == [nn.Flatten, nn.Linear, nn.ReLU]
        and not any(module._forward_hooks or module._forward_pre_hooks for module in backbone.modules())
        for backbone in backbones
    )


def walk_stacked(
    backbones: Sequence[Backbone], images: Tensor, change: Callable[[str, Tensor], Tensor]
) -> Sequence[Tensor]:
    """Return the representations (B, features) of T backbones that `can_stack`, their maps changed after each stage.

    Args:
        images: (B, C, H, W), the input of all backbones.
        change: a function from a stage's name and the maps (B, T C, H, W) after it, those of one backbone after
            another's, or from `NECK` and the representations (T, B, features), to the values that replace them.
    """
    count, maps, groups = len(backbones), images, 1
    for name, stage in backbones[0].stages.items():
        convolutions = [cast(nn.Conv2d, backbone.stages[name].pre) for backbone in backbones]
        first = convolutions[0]
        weight = torch.cat([each.weight for each in convolutions]).contiguous(memory_format=torch.channels_last)
        bias = None if first.bias is None else torch.cat([cast(Tensor, each.bias) for each in convolutions])
        maps = nn.functional.conv2d(maps, weight, bias, first.stride, first.padding, first.dilation, groups)
        maps = change(name, cast(nn.Module, stage.post)(maps))
        groups = count  # the images alone are the same for all
    necks = [cast(nn.Linear, cast(nn.Sequential, backbone.neck)[1]) for backbone in backbones]
    flat = torch.stack(maps.chunk(count, 1)).flatten(2)  # (T, B, C H W)
    weights = torch.stack([neck.weight for neck in necks]).transpose(1, 2)
    z = torch.baddbmm(torch.stack([neck.bias for neck in necks])[:, None], flat, weights).relu()
    return change(NECK, z).unbind(0)


def _is_convolution(layer: nn.Module) -> bool:
    return type(layer) is nn.Conv2d and layer.groups == 1 and layer.padding_mode == "zeros"


def _is_by_channel(layer: nn.Module) -> bool:
    return type(layer) in BY_CHANNEL or (type(layer) is nn.Sequential and all(map(_is_by_channel, layer)))
