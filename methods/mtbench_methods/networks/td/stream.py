"""The streams of the top-down network: from the task's embedding down toward the image, one map per level.

Level 0 is the image, level l the map of the backbone's stage l before its last nonlinearity, L the last one.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, option
from mtbench.errors import UsageError

from ..localization import divisor_option, weight_option

__all__ = ["NOTHING", "Glance", "Mirror", "Sections", "Stream", "TopDownOptions", "stream"]

CONNECTIVITY = ("add", "mul", "gated")
EMBEDDED = 32
"""Number of channels of the embedded task above sections, at any width of the backbone: part of the method."""
NORMALIZATION = (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm)


@dataclass(frozen=True, kw_only=True)
class TopDownOptions:
    image: bool = option(True, "the top-down stream sees the image, through laterals from BU1")
    spatial: bool = option(True, "modulation differs from place to place; else one factor per channel")
    channels: int = option(0, "channels of every top-down map; 0 mirrors the backbone", low=0)
    td: str = option("add", "connectivity from BU1 into the top-down stream", choices=CONNECTIVITY)
    bu2: str = option("gated", "connectivity from the top-down stream into BU2", choices=CONNECTIVITY)
    gate: str = option("sigmoid", "sigma of a gated connection", choices=("sigmoid", "tanh"))
    upsample: str = option("bilinear", "between top-down levels", choices=("bilinear", "nearest"))
    bu1_loss: float = option(0.0, "weight of the classification loss at the end of BU1", low=0)
    td_loss: float = option(0.0, "weight of the foreground loss at the end of the top-down stream", low=0)
    loc_loss: float = weight_option("at the end of the top-down stream")
    loc_divisor: str = divisor_option()
    shuffled: bool = option(False, "a control: each task starts from the initial embedding of another, by the seed")


@dataclass(frozen=True, kw_only=True)
class Glance:
    """The maps of BU1: for each stage its map before the last nonlinearity, and its output."""

    before: tuple[Tensor, ...]
    after: tuple[Tensor, ...]

    def of(self, indices: Tensor) -> "Glance":
        """Return the maps of some of the images, by their indices (n,), which may repeat."""
        return Glance(before=tuple(m[indices] for m in self.before), after=tuple(m[indices] for m in self.after))


NOTHING = Glance(before=(), after=())
"""The glance of a stream that does not use the image."""


class Stream(nn.Module, ABC):
    """The common part of streams: upsampling of maps, and laterals to both passes.

    Attributes:
        is_affine: True if maps are affine functions of BU1's maps and the embedded task, see `.affine`.
        top: the shape (C, H, W) of the embedded task.
        to_bu2: the laterals into BU2, by level.
    """

    is_affine: bool = False
    top: torch.Size
    to_bu2: nn.ModuleDict

    def __init__(self, options: TopDownOptions) -> None:
        super().__init__()
        self.options = options

    @abstractmethod
    def forward(self, embedded: Tensor, glance: Glance) -> dict[int, Tensor]:
        """Return the maps (B, C, H, W) by level, from the embedded task (B, top.numel())."""

    def embedding(self, tasks: int) -> nn.Linear:
        """Return a fresh embedding of tasks, from a one-hot vector (B, tasks) to (B, top.numel())."""
        return nn.Linear(tasks, self.top.numel())

    def placed(self, embedded: Tensor) -> Tensor:
        """Return the embedded task as maps (B, C, H, W), in the memory format of all the maps that are added to it."""
        return embedded.view(-1, *self.top).contiguous(memory_format=torch.channels_last)

    @abstractmethod
    def image_map(self, size: tuple[int, ...]) -> nn.Module:
        """Return a fresh module from the lowest map to logits (B, channels, H, W) of the object's place, as large as
        images."""

    def grow(self, level: Tensor, size: tuple[int, ...]) -> Tensor:
        """Upsample a map to the size (H, W) of the stage below."""
        return level if not self.options.spatial else cast(Tensor, self.upsampling(size)(level))

    def upsampling(self, size: tuple[int, ...]) -> nn.Module:
        corners = False if self.options.upsample == "bilinear" else None
        return nn.Upsample(size, mode=self.options.upsample, align_corners=corners)

    def connect_bu1(self, level: Tensor, lateral: nn.Module, seen: Tensor) -> Tensor:
        """Add BU1's map to the stream; its mean over places if modulation is not spatial (Table 2a)."""
        if not self.options.spatial:
            seen = seen.mean((2, 3), keepdim=True)
        return self.connect(self.options.td, level, lateral(seen))

    def laterals(self, levels: dict[int, Tensor]) -> dict[int, Tensor]:
        """Return the lateral into BU2 of the stream's map for each level."""
        return {number: self.to_bu2[str(number)](level) for number, level in levels.items()}

    def modulate(self, maps: Tensor, laterals: dict[int, Tensor], number: int) -> Tensor:
        """Return BU2's map of a level (0 is the image), modulated by the stream if it has a lateral there."""
        return self.connect(self.options.bu2, maps, laterals[number]) if number in laterals else maps

    def connect(self, connectivity: str, x: Tensor, z: Tensor) -> Tensor:
        """Return x + z, x z, or x + x sigma(z) (Eq. 3)."""
        if connectivity == "add":
            return x + z
        if connectivity == "mul":
            return x * z
        return x * (1 + (z.sigmoid() if self.options.gate == "sigmoid" else z.tanh()))


class Mirror(Stream):
    """A convolution for each of the backbone's, which undoes its shrinking; maps at levels 0 to L."""

    def __init__(self, options: TopDownOptions, backbone: Backbone, image_channels: int) -> None:
        super().__init__(options)
        self.is_affine = options.td == "add"
        shapes = backbone.shapes
        bottom_up = [image_channels, *(shape.pre[0] for shape in shapes)]
        widths = [options.channels or width for width in bottom_up]
        self.sizes = [shape.pre[1:] for shape in shapes]
        self.top = torch.Size((widths[-1], *(shapes[-1].post[1:] if options.spatial else (1, 1))))
        levels = zip(backbone.levels(), pairwise(widths), strict=True)
        self.convolutions = nn.ModuleList([self.mirror(stage.pre, wide, narrow) for stage, (narrow, wide) in levels])
        seen = [*bottom_up[1:], shapes[-1].post[0]] if options.image else []
        drawn = [*widths[1:], widths[-1]]
        self.from_bu1 = nn.ModuleList([nn.Conv2d(a, b, 1) for a, b in zip(seen, drawn, strict=False)])
        laterals = [nn.Conv2d(a, b, 1) for a, b in zip(widths, bottom_up, strict=True)]
        self.to_bu2 = nn.ModuleDict({str(number): lateral for number, lateral in enumerate(laterals)})

    @staticmethod
    def fits(backbone: Backbone) -> bool:
        """Return True if each stage is, up to its last nonlinearity, one convolution that loses only a margin."""
        convolutions = [stage.pre for stage in backbone.levels()]
        return all(
            isinstance(conv, nn.Conv2d) and conv.stride == conv.dilation == (1, 1) and not isinstance(conv.padding, str)
            for conv in convolutions
        )

    def mirror(self, forward: nn.Module, inputs: int, outputs: int) -> nn.Conv2d:
        """Return the convolution that undoes the shrinking of a stage; 1 x 1 if modulation is not spatial."""
        if not self.options.spatial:
            return nn.Conv2d(inputs, outputs, 1)
        assert isinstance(forward, nn.Conv2d)
        assert isinstance(forward.padding, tuple)
        (height, width), (rows, columns) = forward.kernel_size, forward.padding
        return nn.Conv2d(inputs, outputs, (height, width), padding=(height - 1 - rows, width - 1 - columns))

    def forward(self, embedded: Tensor, glance: Glance) -> dict[int, Tensor]:
        seen = [*glance.before, *glance.after[-1:]]
        level = self.look(self.placed(embedded), seen, len(self.sizes))
        levels = {}
        for number in reversed(range(len(self.sizes))):
            level = self.look(self.grow(level, self.sizes[number]), seen, number)
            levels[number + 1] = level
            level = self.convolutions[number](level)
        return {0: level, **levels}

    def look(self, level: Tensor, seen: list[Tensor], number: int) -> Tensor:
        if not (self.options.image and seen):
            return level
        return self.connect_bu1(level, self.from_bu1[number], seen[number])

    def image_map(self, size: tuple[int, ...]) -> nn.Module:  # noqa: ARG002
        return nn.Identity()


class Sections(Stream):
    """A pair of convolutions for each of the backbone's stages, with a relu between; maps at levels 1 to L - 1.

    Initial weights are the released code's, for every convolution of a deep network: N(0, 2 / (k k outputs)) for
    kernels of k x k, including laterals and the image's map, and PyTorch's default biases. With PyTorch's default
    weights, up to 12 times smaller, the stream fades from level to level.

    That code has no normalized backbone, and the papers do not say how ResNet-18's stream is initialized. Its maps,
    which batch normalization keeps large, would make up 99 % of the stream's variance, and the task 1 %; gates would be
    saturated. There weights keep the variance of their inputs (He et al., Delving Deep into Rectifiers, 2015, Eq. 10):
    N(0, 2 / (k k inputs)) for 3 x 3, N(0, 1 / inputs) for 1 x 1, and N(0, 1) for the embedding.
    """

    def __init__(self, options: TopDownOptions, backbone: Backbone) -> None:
        super().__init__(options)
        self.shapes = backbone.shapes
        self.normalized = any(isinstance(module, NORMALIZATION) for module in backbone.modules())
        if len(self.shapes) < 2:
            raise UsageError(
                "method 'td' has nothing to modulate in a backbone of one stage.",
                allowed="It modulates the stages below the last one, or one plain convolution.",
            )
        bottom_up = {number: shape.pre[0] for number, shape in enumerate(self.shapes, start=1)}
        self.widths = {number: options.channels or width for number, width in bottom_up.items()}
        embedded, last = options.channels or EMBEDDED, len(self.shapes)
        self.top = torch.Size((embedded, *(self.shapes[-1].pre[1:] if options.spatial else (1, 1))))
        self.from_embedding = self.deep(embedded, self.widths[last], 1)
        self.below = range(1, last)
        self.sections = nn.ModuleDict({str(n): self.pair(self.widths[n + 1], self.widths[n]) for n in self.below})
        seen = range(2, last + 1) if options.image else []
        self.from_bu1 = nn.ModuleDict({str(n): self.deep(bottom_up[n], self.widths[n], 1) for n in seen})
        self.to_bu2 = nn.ModuleDict({str(n): self.deep(self.widths[n], bottom_up[n], 1) for n in self.below})

    def pair(self, wide: int, narrow: int) -> nn.Module:
        hidden = max(wide, narrow)
        return nn.Sequential(self.convolution(wide, hidden), nn.ReLU(), self.convolution(hidden, narrow))

    def convolution(self, inputs: int, outputs: int) -> nn.Conv2d:
        """Return a convolution of 3 x 3, or of 1 x 1 if modulation is not spatial."""
        return self.deep(inputs, outputs, 3 if self.options.spatial else 1)

    def deep(self, inputs: int, outputs: int, side: int) -> nn.Conv2d:
        """Return a convolution of side x side that keeps a map's size, with the initial weights of this class."""
        layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
        if self.normalized:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if side > 1 else "linear")
        else:
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (side * side * outputs)))
        return layer

    def embedding(self, tasks: int) -> nn.Linear:
        layer = super().embedding(tasks)
        if self.normalized:
            nn.init.normal_(layer.weight)
        return layer

    def forward(self, embedded: Tensor, glance: Glance) -> dict[int, Tensor]:
        level = self.from_embedding(self.placed(embedded))
        levels = {}
        for number in reversed(self.below):
            level = self.grow(self.look(level, glance, number + 1), self.shapes[number - 1].pre[1:])
            levels[number] = level = self.sections[str(number)](level)
        return levels

    def look(self, level: Tensor, glance: Glance, number: int) -> Tensor:
        """Return the level with BU1's map: the stage's output, if it has that size; for the last stage its raw map."""
        if not (self.options.image and glance.before):
            return level
        rectified = number < len(self.shapes) and self.shapes[number - 1].post == self.shapes[number - 1].pre
        seen = (glance.after if rectified else glance.before)[number - 1]
        return self.connect_bu1(level, self.from_bu1[str(number)], seen)

    def image_map(self, size: tuple[int, ...]) -> nn.Module:
        """Return two convolutions in a row, to half the channels and to one logit."""
        inputs = self.widths[1]
        hidden = self.options.channels or max(1, inputs // 2)
        layers = [self.convolution(inputs, hidden), self.deep(hidden, 1, 1)]
        return nn.Sequential(self.upsampling(size), *layers) if self.options.spatial else nn.Sequential(*layers)


def stream(options: TopDownOptions, backbone: Backbone, image_channels: int) -> Stream:
    """Return the stream that fits the stages of a backbone."""
    return Mirror(options, backbone, image_channels) if Mirror.fits(backbone) else Sections(options, backbone)
