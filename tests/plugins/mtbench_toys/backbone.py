"""A backbone that keeps places, for dense tasks, and one with an option that is a file."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mtbench.backbones.lenet import LeNet, LeNetOptions
from mtbench.contract import Backbone, File, Stage, option


class ToyConv(Backbone):
    """Two padded convolutions and a 1 x 1 head: a value per pixel."""

    layout = "map"

    def __init__(self, options: Any, input_shape: tuple[int, ...]) -> None:  # noqa: ARG002
        stages = {
            "conv1": Stage(nn.Conv2d(input_shape[0], 4, 3, padding=1), nn.ReLU()),
            "conv2": Stage(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU()),
        }
        super().__init__(stages, nn.Identity(), input_shape)
        self.features = 8

    def head(self, output_size: int) -> nn.Module:
        return nn.Conv2d(self.features, output_size, 1)


@dataclass(frozen=True, kw_only=True)
class ShiftedOptions(LeNetOptions):
    shift: File | None = option(None, "a file with a number that is added to every bias")


class Shifted(LeNet):
    """LeNet with initial biases that depend on a file."""

    Options = ShiftedOptions

    def __init__(self, options: ShiftedOptions, input_shape: tuple[int, ...]) -> None:
        super().__init__(options, input_shape)
        if options.shift is not None:
            with torch.no_grad():
                for name, value in self.named_parameters():
                    if name.endswith("bias"):
                        value.add_(float(options.shift.read()))
