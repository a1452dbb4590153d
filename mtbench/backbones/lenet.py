"""LeNet, the backbone of the Multi-MNIST comparisons."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from mtbench.contract import Backbone, Conformance, Stage, option

__all__ = ["LeNet", "LeNetOptions", "LeNetSize"]


@dataclass(frozen=True, kw_only=True)
class LeNetSize:
    width: float = option(1.0, "factor on the number of channels and hidden units", low=0.1, high=64)


@dataclass(frozen=True, kw_only=True)
class LeNetOptions(LeNetSize):
    dropout: float = option(
        0.0, "probability with which a channel behind conv2 and a hidden unit of a head are dropped", low=0, high=0.95
    )


class LeNet(Backbone):
    """LeNet of Sener & Koltun (2018): two 5 x 5 convolutions and a fully connected layer; 21,250 weights.

    ::

        x (B, 1, 28, 28)
        conv1 1 -> 10    (B, 10, 24, 24)   pool, relu -> (B, 10, 12, 12)
        conv2 10 -> 20   (B, 20, 8, 8)     pool, relu -> (B, 20, 4, 4)
        neck 320 -> 50   (B, 50)           relu: the representation z
        head 50 -> 50 -> outputs           relu between

    Pooling before the relu gives the same bits as pooling after it, at a quarter of the relu's work.

    With `dropout`, which the paper does not have, whole channels of conv2's map are dropped for each image, and hidden
    units of a head one by one. In training the remaining values are divided by the probability of being kept; in
    evaluation nothing is dropped (Srivastava et al., JMLR 2014; torch's Dropout2d and Dropout). The dropout of the
    paper's released code is another one: backbone ``lenet-dropout``. The channels are dropped after the place where
    methods modulate the map.
    """

    Options: ClassVar[type[LeNetSize]] = LeNetOptions
    conformance = Conformance(tiny={"width": 0.5})
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"

    def __init__(self, options: LeNetSize, input_shape: tuple[int, ...]) -> None:
        channels, height, width = input_shape
        first, second, hidden = (max(1, round(size * options.width)) for size in (10, 20, 50))
        top = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        masks = self.masks(options)
        stages = {
            "conv1": Stage(nn.Conv2d(channels, first, 5), nn.Sequential(nn.MaxPool2d(2), nn.ReLU())),
            "conv2": Stage(nn.Conv2d(first, second, 5), nn.Sequential(*masks[:1], nn.MaxPool2d(2), nn.ReLU())),
        }
        neck = nn.Sequential(nn.Flatten(), nn.Linear(second * top[0] * top[1], hidden), nn.ReLU())
        super().__init__(stages, neck, input_shape)
        self.features = hidden
        self.options = options

    def masks(self, options: Any) -> tuple[nn.Module, ...]:
        """Return fresh modules that drop channels (B, C, H, W) and hidden units (B, features), or nothing."""
        return (nn.Dropout2d(options.dropout), nn.Dropout(options.dropout)) if options.dropout else ()

    def head(self, output_size: int) -> nn.Module:
        between = nn.Sequential(nn.ReLU(), *self.masks(self.options)[1:])
        return nn.Sequential(nn.Linear(self.features, self.features), between, nn.Linear(self.features, output_size))
