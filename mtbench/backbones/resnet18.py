"""ResNet-18, the backbone of the CUB-200 comparisons."""

from dataclasses import dataclass

from torch import nn

from mtbench.backbones.pretrained import start_from
from mtbench.backbones.residual import Residual, residual_stages
from mtbench.contract import Backbone, Conformance, File, option

__all__ = ["ResNet18"]


@dataclass(frozen=True, kw_only=True)
class ResNet18Options:
    width: float = option(1.0, "factor on the number of channels", low=0.02, high=8)
    weights: File | None = option(
        None, "a file of torchvision's ImageNet weights for ResNet-18 (.pth or .safetensors) to start from"
    )


class ResNet18(Backbone):
    """ResNet-18 of He et al. (2016), from scratch or from ImageNet weights; 11,176,512 parameters.

    ::

        x (B, 3, 224, 224)
        stem     conv 7 x 7, stride 2, BatchNorm    (B, 64, 112, 112)    relu, max pool 3 x 3, stride 2 -> 56
        layer1   2 residual blocks                  (B, 64, 56, 56)      relu
        layer2   2 residual blocks, stride 2        (B, 128, 28, 28)     relu
        layer3   2 residual blocks, stride 2        (B, 256, 14, 14)     relu
        layer4   2 residual blocks, stride 2        (B, 512, 7, 7)       relu
        neck     mean over places                   (B, 512)             the representation z
        head     512 -> outputs

    A layer's map before its last nonlinearity is the sum that ends its second block. Inputs of any size are accepted.
    Initial weights are He's normal ones for the convolutions (fan-out), as in torchvision.
    """

    Options = ResNet18Options
    conformance = Conformance(tiny={"width": 0.125})
    paper = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"

    def __init__(self, options: ResNet18Options, input_shape: tuple[int, ...]) -> None:
        stages = residual_stages(Residual, input_shape[0], options.width)
        super().__init__(stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), input_shape)
        self.features = self.shapes[-1].post[0]
        if options.weights is not None:
            start_from(self, options.weights, "ResNet-18", width=options.width)

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)
