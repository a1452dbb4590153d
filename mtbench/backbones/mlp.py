"""A multilayer perceptron, the backbone of GradNorm's regression world."""

from dataclasses import dataclass

from torch import nn

from mtbench.contract import Backbone, Conformance, Stage, option

__all__ = ["Mlp"]


@dataclass(frozen=True, kw_only=True)
class MlpOptions:
    width: int = option(100, "units of each layer", low=1, high=100_000)
    depth: int = option(4, "how many layers", low=1, high=100)


class Mlp(Backbone):
    """A perceptron of 4 fully connected layers with 100 units each (Chen et al. 2018); takes inputs of any shape.

    ::

        x (B, C, H, W)
        fc1 C H W -> 100   (B, 100, 1, 1)   relu
        fc2 100 -> 100     (B, 100, 1, 1)   relu
        fc3 100 -> 100     (B, 100, 1, 1)   relu
        fc4 100 -> 100     (B, 100, 1, 1)   relu
        neck               (B, 100)         the representation z
        head 100 -> outputs

    Each layer is a convolution whose kernel is as large as its input, which is the same arithmetic, so that methods
    find feature maps to modulate. The last relu belongs to the backbone and the head is affine, as in the paper.
    """

    Options = MlpOptions
    conformance = Conformance(tiny={"width": 10, "depth": 2})
    paper = "Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing, ICML 2018"

    def __init__(self, options: MlpOptions, input_shape: tuple[int, ...]) -> None:
        channels, height, width = input_shape
        layers = [nn.Conv2d(channels, options.width, (height, width))]
        layers += [nn.Conv2d(options.width, options.width, 1) for _ in range(options.depth - 1)]
        stages = {f"fc{number}": Stage(layer, nn.ReLU()) for number, layer in enumerate(layers, start=1)}
        super().__init__(stages, nn.Flatten(), input_shape)
        self.features = options.width

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)
