"""The stages of a ResNet, whose modules torchvision's weights fit."""

from typing import ClassVar, cast

from torch import Tensor, nn

from mtbench.contract import BatchNorm, Stage

__all__ = ["Bottleneck", "Residual", "residual_stages"]

WIDTHS = (64, 128, 256, 512)


class Residual(nn.Module):
    """A residual block without its last relu: x + BN(conv(relu(BN(conv x)))), x projected where its shape changes.

    The modules are named as torchvision names them.

    Attributes:
        counts: numbers of blocks of this kind in the four layers of a ResNet.
        expansion: factor on the numbers of output channels in `WIDTHS`.
    """

    counts: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)
    expansion: ClassVar[int] = 1

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(outputs)
        self.downsample = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        return cast(Tensor, self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """A residual block of 1 x 1, 3 x 3 and 1 x 1 convolutions without its last relu.

    The first two have a quarter of the channels::

        x + BN(conv(relu(BN(conv(relu(BN(conv x)))))))           x projected where its shape changes

    The 3 x 3 convolution has the stride, as in torchvision (in the paper the first one has). Attributes and names are
    as in `Residual`.
    """

    counts: ClassVar[tuple[int, ...]] = (3, 4, 6, 3)
    expansion: ClassVar[int] = 4

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        inner = outputs // self.expansion
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = BatchNorm(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False)
        self.bn2 = BatchNorm(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = BatchNorm(outputs)
        self.downsample = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return cast(Tensor, self.bn3(self.conv3(y)) + self.downsample(x))


def residual_stages(block: type[Residual] | type[Bottleneck], channels: int, width: float) -> dict[str, Stage]:
    """Return the stages ``stem`` and ``layer1`` to ``layer4`` of a ResNet.

    The first map of a layer, except for layer1, has half the side of the map before it. Initial weights are He's normal
    ones for the convolutions (fan-out), as in torchvision.

    Args:
        channels: the number of channels of the images.
        width: factor on the number of channels.
    """
    widths = [max(1, round(each * width)) for each in WIDTHS]
    inputs = widths[0]
    stem = nn.Sequential(nn.Conv2d(channels, inputs, 7, stride=2, padding=3, bias=False), BatchNorm(inputs))
    stages = {"stem": Stage(stem, nn.Sequential(nn.MaxPool2d(3, stride=2, padding=1), nn.ReLU()))}
    for number, (each, count) in enumerate(zip(widths, block.counts, strict=True), start=1):
        outputs = each * block.expansion
        layers: list[nn.Module] = [block(inputs, outputs, stride=1 if number == 1 else 2)]
        for _ in range(1, count):
            layers += [nn.ReLU(), block(outputs, outputs)]
        stages[f"layer{number}"] = Stage(nn.Sequential(*layers), nn.ReLU())
        inputs = outputs
    for stage in stages.values():
        for module in stage.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return stages


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return the projection of a block's input to the size of its output; the identity where the sizes agree."""
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), BatchNorm(outputs))
