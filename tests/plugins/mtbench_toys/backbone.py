"""A backbone that keeps places, for dense tasks."""

from typing import Any

from torch import nn

from mtbench.contract import Backbone, Stage


class ToyConv(Backbone):
    """Two padded convolutions and a 1 x 1 head: a value per pixel."""

    def __init__(self, options: Any, input_shape: tuple[int, ...]) -> None:  # noqa: ARG002
        stages = {
            "conv1": Stage(nn.Conv2d(input_shape[0], 4, 3, padding=1), nn.ReLU()),
            "conv2": Stage(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU()),
        }
        super().__init__(stages, nn.Identity(), input_shape)
        self.features = 8

    def head(self, output_size: int) -> nn.Module:
        return nn.Conv2d(self.features, output_size, 1)
