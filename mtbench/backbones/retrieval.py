"""The network of Zhao et al. (2018), whose representation is an embedding."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Backbone, BatchNorm, Conformance, Stage, option

__all__ = ["RetrievalNet"]

WIDTHS = (32, 64, 128, 128, 128)


@dataclass(frozen=True, kw_only=True)
class RetrievalOptions:
    width: float = option(1.0, "factor on the number of channels", low=0.02, high=8)
    embedding: int = option(256, "numbers of the embedding, at any width", low=1)
    decay: float = option(
        0.995,
        "fraction of their value that running statistics keep at each step; smaller for short trainings",
        low=0,
        high=0.9999,
    )


class RetrievalNet(Backbone):
    """The retrieval network of Zhao et al. (2018), Table 2; 2,952,032 weights for images of 150 x 150.

    Each convolution is 3 x 3, followed by batch normalization and a relu; the first of a block has no padding::

        x (B, 3, 150, 150)
        conv1    3 -> 32                                   (B, 32, 148, 148)
        block2   32 -> 64, pool, + (64 -> 64 -> 64)        (B, 64, 73, 73)
        block3   64 -> 128, pool, + (128 -> 128 -> 128)    (B, 128, 35, 35)
        block4   128 -> 128, likewise                      (B, 128, 16, 16)
        block5   128 -> 128, likewise                      (B, 128, 7, 7)
        neck     flatten, 6272 -> 256                      (B, 256)    batch normalization, relu: the embedding z

    A block is p + conv(conv(p)) with p the pooled map of its first convolution, without a relu after the sum, so that
    its map before the last nonlinearity is its output. A pool halves the side, rounding down. Inputs of any size from 3
    x 3 are accepted: below a side of 4 a block's first convolution is padded, and a side of 1 is not pooled.

    z is the embedding, so that a head of `embedding` outputs is the identity. A head of any other size, and each of
    several heads on one z, is linear without a bias. Embeddings are scaled to norm 1 by the kind of task.

    Layers that methods modulate one by one: the map of conv1, before its relu, the outputs of the blocks, and z, under
    the name fc. From block4 on, as the paper has it, is ``first=4`` for `chmod`.

    The paper does not give all details. As in the released code, initial weights are normal with standard deviation .1,
        truncated at two standard deviations, and batch normalization has a decay of .995 and an epsilon of .001. Chosen
        here: it has a shift and no scale, the default of the library of that code; z is rectified before it is
        modulated and scaled, so that no entry of an embedding is negative. With a decay of .995 a third of the running
        means is still the value of 200 steps before: a shorter training needs a smaller `decay`, such as .9.
    """

    Options = RetrievalOptions
    conformance = Conformance(tiny={"width": 0.125, "decay": 0.9})
    paper = "Zhao et al., A Modulation Module for Multi-task Learning with Applications in Image Retrieval, ECCV 2018"

    def __init__(self, options: RetrievalOptions, input_shape: tuple[int, ...]) -> None:
        widths = [max(1, round(width * options.width)) for width in WIDTHS]
        momentum = 1 - options.decay
        first = nn.Sequential(_convolution(input_shape[0], widths[0], padding=0), Centered(widths[0], momentum))
        stages = {"conv1": Stage(first, nn.ReLU())}
        side = min(input_shape[1:]) - 2
        for number, (inputs, outputs) in enumerate(pairwise(widths), start=2):
            is_padded = side < 4
            side -= 0 if is_padded else 2
            is_pooled = side > 1
            side = side // 2 if is_pooled else side
            block = Block(inputs, outputs, momentum, padding=int(is_padded), is_pooled=is_pooled)
            stages[f"block{number}"] = Stage(block, nn.Identity())
        super().__init__(stages, nn.Identity(), input_shape)
        self.features = options.embedding
        embed = nn.Linear(math.prod(self.shapes[-1].post), options.embedding, bias=False)
        _initialize(embed)
        self.neck = nn.Sequential(
            nn.Flatten(),
            embed,
            nn.Unflatten(1, (options.embedding, 1, 1)),  # to maps of one place, which `BatchNorm` is for
            Centered(options.embedding, momentum),
            nn.ReLU(),
            nn.Flatten(),
        )

    def head(self, output_size: int) -> nn.Module:
        return nn.Identity() if output_size == self.features else self.branch(output_size)

    def branch(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size, bias=False)

    def answer(self, images: Tensor, head: nn.Module, change: Callable[[str, Tensor], Tensor]) -> Tensor:
        """Return the outputs of a head, where `change` is applied to the map of every stage, and to z as ``fc``."""
        return cast(Tensor, head(self.walk(images, lambda name, x: change("fc" if name == NECK else name, x))))


class Block(nn.Module):
    """A convolution that may be pooled, p (B, C, H, W), plus two more on it: p + conv(conv(p))."""

    def __init__(self, inputs: int, outputs: int, momentum: float, *, padding: int, is_pooled: bool) -> None:
        super().__init__()
        pool = [nn.MaxPool2d(2)] if is_pooled else []  # before the relu, for the same bits and a quarter of its work
        self.down = nn.Sequential(
            _convolution(inputs, outputs, padding=padding), Centered(outputs, momentum), *pool, nn.ReLU()
        )
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [_convolution(outputs, outputs, padding=1), Centered(outputs, momentum), nn.ReLU()]
        self.beside = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.down(x)
        return cast(Tensor, pooled + self.beside(pooled))


class Centered(BatchNorm):
    """Batch normalization with a shift for each channel and no scale."""

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__(channels, eps=0.001, momentum=momentum)
        del self.weight
        self.register_buffer("weight", torch.ones(channels), persistent=False)


def _convolution(inputs: int, outputs: int, *, padding: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    _initialize(layer)
    return layer


def _initialize(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
