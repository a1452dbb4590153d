"""VGG-11, the backbone of the CLEVR comparisons."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from mtbench.contract import Backbone, Conformance, Stage, option

__all__ = ["Vgg11"]

WIDTHS = ((64,), (128,), (256, 256), (512, 512), (512, 128))
"""The channels of each stage's convolutions; the last is 128 where the original VGG-11 has 512."""
CONVOLUTIONS = (("conv1",), ("conv2",), ("conv3_1", "conv3_2"), ("conv4_1", "conv4_2"), ("conv5_1", "conv5_2"))
HIDDEN = 1024


@dataclass(frozen=True, kw_only=True)
class Vgg11Options:
    width: float = option(1.0, "factor on the number of channels and hidden units", low=0.02, high=8)
    last_relu: bool = option(True, "a relu behind the last convolution; the released code of Levi & Ullman has none")


class Vgg11(Backbone):
    """VGG-11 of Levi & Ullman (2020), the last convolution narrowed to 128 channels; 7,448,256 weights.

    Convolutions are 3 x 3 with padding 1; a pool halves the side, rounding up, so that inputs of any size are
    accepted::

        x (B, 3, 224, 224)
        conv1   3 -> 64              (B, 64, 112, 112)
        conv2   64 -> 128            (B, 128, 56, 56)
        conv3   128 -> 256 -> 256    (B, 256, 28, 28)
        conv4   256 -> 512 -> 512    (B, 512, 14, 14)
        conv5   512 -> 512 -> 128    (B, 128, 7, 7)
        neck    flatten              (B, 6272)            the representation z
        head    6272 -> 1024 -> 1024 -> outputs           relu and dropout of one half between

    Every convolution is followed by a relu. The relu of a stage's last convolution comes after its pool, which gives
    the same bits for less work. The released code modulates conv1's map after its relu and the other maps before
    theirs, so conv1's relu is in the first half of its stage. In the released code conv5 has no relu and z is the
    pooled map as it is (``last_relu=false``); here it has one, as any VGG-11.

    Layers that methods modulate one by one, before their relu: the convolutions, conv1, conv2, conv3_1, conv3_2, ...,
    conv5_2, and the hidden layers of a head, fc1 and fc2; z is not among them.

    Initial weights are the released code's: for convolutions N(0, 2 / (9 outputs)) with PyTorch's default biases,
    uniform within 1 / sqrt(9 inputs); for a head's linear layers N(0, 0.01^2) with biases 0.
    """

    Options = Vgg11Options
    # Half of a narrow head is dropped, and heads start near 0: it learns slowly.
    conformance = Conformance(tiny={"width": 0.125}, learns_within=1500)
    paper = "Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015"

    def __init__(self, options: Vgg11Options, input_shape: tuple[int, ...]) -> None:
        self.options = options
        stages, inputs = {}, input_shape[0]
        for number, widths in enumerate(WIDTHS, start=1):
            channels = [inputs, *(_scaled(width, options.width) for width in widths)]
            pre = [_convolution(*pair) for pair in pairwise(channels)]
            layers = [layer for conv in pre for layer in (conv, nn.ReLU())]
            relu = layers.pop()
            pool = nn.MaxPool2d(2, ceil_mode=True)
            if number == 1:
                stage = Stage(nn.Sequential(*layers, pool, relu), nn.Identity())
            else:
                is_raw = number == len(WIDTHS) and not options.last_relu
                stage = Stage(nn.Sequential(*layers, pool), nn.Identity() if is_raw else relu)
            stages[f"conv{number}"] = stage
            inputs = channels[-1]
        super().__init__(stages, nn.Flatten(), input_shape)
        self.features = math.prod(self.shapes[-1].post)

    def head(self, output_size: int) -> nn.Module:
        hidden = _scaled(HIDDEN, self.options.width)
        layers: list[nn.Module] = []
        for inputs in (self.features, hidden):
            layers += [_linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.5)]
        return nn.Sequential(*layers, _linear(hidden, output_size))

    def answer(self, images: Tensor, head: nn.Module, change: Callable[[str, Tensor], Tensor]) -> Tensor:
        """Return the outputs of a head, with `change` applied to each convolution and hidden layer before its relu."""
        for stage, names in zip(self.levels(), CONVOLUTIONS, strict=True):
            images = stage.post(_through(cast(nn.Sequential, stage.pre), images, nn.Conv2d, names, change))
        *hidden, last = cast(nn.Sequential, head)
        return cast(Tensor, last(_through(hidden, self.neck(images), nn.Linear, ("fc1", "fc2"), change)))


def _through(
    layers: Iterable[nn.Module],
    x: Tensor,
    kind: type[nn.Module],
    names: Iterable[str],
    change: Callable[[str, Tensor], Tensor],
) -> Tensor:
    """Return x after the layers, where the output of each layer of that kind is changed under its name."""
    left = iter(names)
    for layer in layers:
        x = layer(x)
        if isinstance(layer, kind):
            x = change(next(left), x)
    return x


def _scaled(size: int, width: float) -> int:
    return max(1, round(size * width))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.normal_(layer.weight, std=math.sqrt(2 / (9 * outputs)))
    return layer


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer
