"""LeNet, the backbone of the Multi-MNIST comparisons."""

from dataclasses import dataclass

from torch import nn

from mtbench.contract import Backbone, Conformance, Stage, option

__all__ = ["LeNet"]


@dataclass(frozen=True, kw_only=True)
class LeNetOptions:
    width: float = option(1.0, "factor on the number of channels and hidden units", low=0.1, high=64)


class LeNet(Backbone):
    """LeNet of Sener & Koltun (2018): two 5 x 5 convolutions and a fully connected layer; 21,250 weights.

    ::

        x (B, 1, 28, 28)
        conv1 1 -> 10    (B, 10, 24, 24)   relu, pool -> (B, 10, 12, 12)
        conv2 10 -> 20   (B, 20, 8, 8)     relu, pool -> (B, 20, 4, 4)
        neck 320 -> 50   (B, 50)           relu: the representation z
        head 50 -> 50 -> outputs           relu between
    """

    Options = LeNetOptions
    conformance = Conformance(tiny={"width": 0.5})
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"

    def __init__(self, options: LeNetOptions, input_shape: tuple[int, ...]) -> None:
        channels, height, width = input_shape
        first, second, hidden = (max(1, round(size * options.width)) for size in (10, 20, 50))
        top = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        stages = {
            "conv1": Stage(nn.Conv2d(channels, first, 5), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))),
            "conv2": Stage(nn.Conv2d(first, second, 5), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))),
        }
        neck = nn.Sequential(nn.Flatten(), nn.Linear(second * top[0] * top[1], hidden), nn.ReLU())
        super().__init__(stages, neck, input_shape)
        self.features = hidden

    def head(self, output_size: int) -> nn.Module:
        return nn.Sequential(nn.Linear(self.features, self.features), nn.ReLU(), nn.Linear(self.features, output_size))
