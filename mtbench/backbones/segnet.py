"""SegNet, an encoder and a decoder that unpools place by place. For dense tasks."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, BatchNorm, Conformance, Stage, option

__all__ = ["SegNet"]

ENCODER = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of each convolution of the stages encoder1 to encoder5: those of VGG-16."""
DECODER = ((512, 512, 512), (256, 256, 256), (128, 128, 128), (64, 64), (64, 64))
"""Channels of each convolution of the stages decoder5 to decoder1."""


@dataclass(frozen=True, kw_only=True)
class SegNetOptions:
    width: float = option(1.0, "factor on the number of channels", low=0.02, high=8)


class SegNet(Backbone):
    """The SegNet of MTAN (Liu et al. 2019) and of papers that compare with it; 24,981,069 parameters with 13 outputs.

    Every convolution is 3 x 3, with batch normalization and a relu; a pool halves the side, rounding up::

        x (B, 3, 288, 384)
        encoder1   3 -> 64 -> 64                    (B, 64, 288, 384)
        encoder2   pool, 64 -> 128 -> 128           (B, 128, 144, 192)
        encoder3   pool, 128 -> 256 -> 256 -> 256   (B, 256, 72, 96)
        encoder4   pool, 256 -> 512 -> 512 -> 512   (B, 512, 36, 48)
        encoder5   pool, 512 -> 512 -> 512 -> 512   (B, 512, 18, 24)
        decoder5   pool, undo it, 512 -> 512 -> 512 -> 512    (B, 512, 18, 24)
        decoder4   undo encoder5's pool, 512 -> 256 -> 256 -> 256   (B, 256, 36, 48)
        decoder3   undo encoder4's pool, 256 -> 128 -> 128 -> 128   (B, 128, 72, 96)
        decoder2   undo encoder3's pool, 128 -> 64 -> 64            (B, 64, 144, 192)
        decoder1   undo encoder2's pool, 64 -> 64 -> 64             (B, 64, 288, 384)
        neck       nothing                          (B, 64, 288, 384)      the representation z
        head       64 -> 64, 1 x 1 to outputs       (B, outputs, 288, 384)     nothing between

    Undoing a pool puts each number at the place that the pool took it from, and 0 elsewhere (max unpooling); the places
    are those of the last forward pass. A pool stands at the beginning of the stage after it, so that a stage's map is
    at its own resolution before and after its last relu, and all pools and unpoolings come after the first stage.
    Images of any size are accepted.

    The number of parameters is the one that MTAN's code divides by (im2im_pred/model_segnet_single.py of lorenmt/mtan).
    Initial weights are those of that code: Xavier's normal ones, biases 0.
    """

    Options = SegNetOptions
    layout = "map"
    conformance = Conformance(tiny={"width": 0.0625})
    paper = "Badrinarayanan et al., SegNet: A Deep Convolutional Encoder-Decoder Architecture, TPAMI 2017"

    def __init__(self, options: SegNetOptions, input_shape: tuple[int, ...]) -> None:
        stages, inputs, pools = {}, input_shape[0], [Pool() for _ in ENCODER]
        for number, widths in enumerate(ENCODER, start=1):
            channels = [inputs, *(max(1, round(width * options.width)) for width in widths)]
            before: list[nn.Module] = [] if number == 1 else [pools[number - 2]]
            stages[f"encoder{number}"] = _stage(before, channels)
            inputs = channels[-1]
        for number, widths in zip(range(len(DECODER), 0, -1), DECODER, strict=True):
            channels = [inputs, *(max(1, round(width * options.width)) for width in widths)]
            pool = pools[number - 1]
            before = [Unpool(pool)] if number < len(DECODER) else [pool, Unpool(pool)]
            stages[f"decoder{number}"] = _stage(before, channels)
            inputs = channels[-1]
        for stage in stages.values():
            _initialize(stage)
        super().__init__(stages, nn.Identity(), input_shape)
        self.features = inputs

    def head(self, output_size: int) -> nn.Module:
        layers = nn.Sequential(
            nn.Conv2d(self.features, self.features, 3, padding=1), nn.Conv2d(self.features, output_size, 1)
        )
        _initialize(layers)
        return layers


class Pool(nn.Module):
    """A max pool of 2 x 2 that remembers which of the four places each maximum comes from.

    Attributes:
        taken: (B, C, h, w) uint8, 2 row + column of the maximum's place within its window, of the last forward pass.
        size: (H, W) of the maps that were pooled in that pass.
    """

    taken: Tensor
    size: torch.Size

    def forward(self, maps: Tensor) -> Tensor:
        pooled, places = nn.functional.max_pool2d(maps, 2, ceil_mode=True, return_indices=True)
        self.size = maps.shape[2:]
        width = maps.shape[3]
        self.taken = (places // width % 2 * 2 + places % width % 2).to(torch.uint8)
        return pooled


class Unpool(nn.Module):
    """Max unpooling of maps (B, C, h, w): each number at its place before the pool, in maps (B, C, H, W), 0 elsewhere.

    torch's own implementation is not deterministic.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        window = torch.arange(4, dtype=torch.uint8, device=maps.device).view(2, 1, 2, 1)
        values, taken = (x.permute(0, 2, 3, 1)[:, :, None, :, None] for x in (maps, self.pool.taken))
        spread = torch.where(taken == window, values, 0)  # (B, h, 2, w, 2, C)
        whole = spread.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
        height, width = self.pool.size
        return whole[:, :, :height, :width]


def _stage(before: list[nn.Module], channels: list[int]) -> Stage:
    """Return the convolutions from each number of channels to the next; the last relu is the stage's second half."""
    layers = [nn.Sequential(nn.Conv2d(a, b, 3, padding=1), BatchNorm(b), nn.ReLU()) for a, b in pairwise(channels)]
    layers[-1] = layers[-1][:2]
    return Stage(nn.Sequential(*before, *layers), nn.ReLU())


def _initialize(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
