"""DeepLab: a dilated ResNet, and for each task a decoder that looks at several scales. For dense tasks."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.backbones.pretrained import start_from
from mtbench.backbones.residual import Bottleneck, Residual, residual_stages
from mtbench.contract import Backbone, BatchNorm, Conformance, File, option
from mtbench.errors import UsageError

__all__ = ["DeepLab"]

BLOCKS: dict[str, type[Residual] | type[Bottleneck]] = {"18": Residual, "50": Bottleneck}


@dataclass(frozen=True, kw_only=True)
class DeepLabOptions:
    depth: str = option("50", "layers of the ResNet", choices=tuple(BLOCKS))
    width: float = option(1.0, "factor on the number of channels of the ResNet", low=0.02, high=8)
    channels: int = option(256, "channels of the maps of a decoder, at any width", low=1)
    rates: tuple[float, ...] = option(
        (12.0, 24.0, 36.0), "dilation of each spatial convolution that a decoder begins with", low=1
    )
    weights: File | None = option(
        None, "a file of torchvision's ImageNet weights for the ResNet (.pth or .safetensors) to start from"
    )


class DeepLab(Backbone):
    """A dilated ResNet-50 or ResNet-18, and ASPP decoders as heads, as in LibMTL's examples of dense tasks.

    The encoder ends at an eighth of the image's side: layer3 and layer4 have no stride, and dilations of 2 and 4 (Yu et
    al., Dilated Residual Networks, CVPR 2017). The decoder is that of DeepLabV3 (Chen et al., 2017)::

        x (B, 3, 288, 384)
        stem     conv 7 x 7, stride 2, BatchNorm      (B, 64, 144, 192)    relu, max pool 3 x 3, stride 2 -> 72 x 96
        layer1   3 bottlenecks                        (B, 256, 72, 96)     relu
        layer2   4 bottlenecks, stride 2              (B, 512, 36, 48)     relu
        layer3   6 bottlenecks, dilation 2            (B, 1024, 36, 48)    relu
        layer4   3 bottlenecks, dilation 4            (B, 2048, 36, 48)    relu
        neck     nothing                              (B, 2048, 36, 48)    the representation z
        head     1 x 1, 3 x 3 with dilation 12, 24, 36, mean over places   5 maps (B, 256, 36, 48)
                 their 1 x 1 fusion, dropout of one half, 3 x 3            (B, 256, 36, 48)
                 1 x 1, enlarged bilinearly with aligned corners           (B, outputs, 288, 384)

    The convolution of a layer that would have the stride has half of the layer's dilation; every other 3 x 3
    convolution has the full dilation. Each convolution of the head except the last is followed by batch normalization
    and a relu.

    Parameters with depth=50: the encoder 23,508,032, a head 16,125,440 and 257 for each output. LibMTL's network for
    NYUv2, with 13 + 1 + 3 outputs, has 71,888,721, as counted by hand from its code. With depth=18 layers have 2 blocks
    of two 3 x 3 convolutions each and a quarter of the channels.

    Initial weights are He's normal ones (fan-out) in the encoder, and PyTorch's default ones in the heads, as in
    torchvision and LibMTL. LibMTL starts from a file of weights for the encoder (option `weights`).

    For small images everything can be smaller, as in ``deeplab:depth=18:width=.25:channels=32:rates=4/8/12`` at 96 x
    128: these rates fit maps of 12 x 16 as 12, 24, 36 fit those of 36 x 48. Images of any size are accepted.
    """

    Options = DeepLabOptions
    layout = "map"
    conformance = Conformance(tiny={"depth": "18", "width": 0.0625, "channels": 8, "rates": (1.0, 2.0)})
    paper = "Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv 1706.05587, 2017"

    def __init__(self, options: DeepLabOptions, input_shape: tuple[int, ...]) -> None:
        if any(rate != int(rate) for rate in options.rates):
            raise UsageError(
                f"option 'rates' of backbone 'deeplab' is {'/'.join(f'{rate:g}' for rate in options.rates)}.",
                allowed="Allowed: whole numbers, such as 12/24/36.",
            )
        self.options = options
        stages = residual_stages(BLOCKS[options.depth], input_shape[0], options.width)
        dilate(stages["layer3"], 2)
        dilate(stages["layer4"], 4)
        super().__init__(stages, nn.Identity(), input_shape)
        self.features, *sides = self.shapes[-1].post
        # In a narrow encoder the input of a head's fusion is the largest map.
        self.largest_map = max(self.largest_map, (len(options.rates) + 2) * options.channels * sides[0] * sides[1])
        if options.weights is not None:
            start_from(self, options.weights, f"ResNet-{options.depth}", width=options.width)

    def head(self, output_size: int) -> nn.Module:
        channels = self.options.channels
        return nn.Sequential(
            Aspp(self.features, channels, [int(rate) for rate in self.options.rates]),
            nn.Dropout(0.5),
            convolved(channels, channels, 3),
            nn.Conv2d(channels, output_size, 1),
            nn.Upsample(self.input_shape[1:], mode="bilinear", align_corners=True),
        )


class Aspp(nn.Module):
    """Atrous spatial pyramid pooling: from maps (B, inputs, H, W) to (B, outputs, H, W).

    Each place is seen alone, with its surroundings at several distances, and with the mean of the whole map.
    """

    def __init__(self, inputs: int, outputs: int, rates: list[int]) -> None:
        super().__init__()
        self.point = convolved(inputs, outputs, 1)
        self.around = nn.ModuleList([convolved(inputs, outputs, 3, rate) for rate in rates])
        self.whole = convolved(inputs, outputs, 1)
        self.fusion = convolved((len(rates) + 2) * outputs, outputs, 1)

    def forward(self, maps: Tensor) -> Tensor:
        whole = self.whole(maps.mean((2, 3), keepdim=True)).expand(-1, -1, *maps.shape[2:])
        seen = [self.point(maps), *(each(maps) for each in self.around), whole]
        fused: Tensor = self.fusion(torch.cat(seen, dim=1))
        return fused


def convolved(inputs: int, outputs: int, side: int, dilation: int = 1) -> nn.Sequential:
    """Return a convolution of side x side that keeps a map's size, its normalization and a relu."""
    padding = dilation * (side // 2)
    layer = nn.Conv2d(inputs, outputs, side, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(layer, BatchNorm(outputs), nn.ReLU())


def dilate(stage: nn.Module, dilation: int) -> None:
    """Remove the stride of a stage, in place, and dilate its convolutions so that their receptive field stays."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            strided, module.stride = module.stride != (1, 1), (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (dilation // 2 if strided else dilation,) * 2
