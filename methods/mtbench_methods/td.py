"""The top-down modulation network: an image is seen once, thought about from the top, and seen again."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, Batch, Inputs, Losses, OneTaskNetwork, Setup, Task, option
from mtbench.errors import UsageError

__all__ = ["TopDown"]

CONNECTIVITY = ("add", "mul", "gated")


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


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What BU1 saw: per stage the map before its last nonlinearity, then the last stage's output."""

    maps: tuple[Tensor, ...]

    @property
    def top(self) -> Tensor:
        return self.maps[-1]


NOTHING = Glance(maps=())


class TopDown(OneTaskNetwork):
    """Top-down modulation network (Levi & Ullman 2020): a task-driven stream modulates a second pass, place by place.

    BU1 and BU2 are one backbone used twice. With a_l the map of stage l before its nonlinearity, p its last output,
    L 1 x 1 laterals, u upsampling, on LeNet::

        BU1   a1 (10, 24, 24), a2 (20, 8, 8), p (20, 4, 4)           once per image, whatever the task
        TD    d3 = embedding(t)     (+) L(p)                         (20, 4, 4)
              d2 = u(d3)            (+) L(a2)                        (20, 8, 8)
              d1 = u(conv(d2))      (+) L(a1)                        (10, 24, 24)
              d0 = conv(d1)                                          (1, 28, 28)
        BU2   x (*) L(d0), a1 (*) L(d1), a2 (*) L(d2), then neck and branch

    (+) is the connectivity `td`, (*) is `bu2`; 'gated' is Eq. 3, y = x + x sigma(z). The paper writes sigma and means
    a sigmoid or a tanh; the sigmoid is taken. Its text upsamples bilinearly (preset levi2019), the later released code
    takes the nearest and multiplies (preset levi2021).
    """

    Options = TopDownOptions
    presets = {"levi2019": {}, "levi2021": {"upsample": "nearest", "bu2": "mul"}}  # noqa: RUF012
    paper = "Levi & Ullman, Multi-Task Learning by a Top-Down Control Network (Task-Based Top-Down Modulation), 2020"
    per_task = frozenset({"embedding"})
    needs_stages = True

    def __init__(self, options: TopDownOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        if options.td_loss and not setup.foreground:
            raise UsageError("option 'td_loss' of method 'td' needs foreground maps, and this dataset has none.")
        self.backbone = setup.trunk()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        with setup.initialised("top-down"):
            self.top_down = TopDownStream(options, self.backbone, setup.input_shape[0])
        with setup.initialised("embedding"):
            self.embedding = nn.Linear(len(setup.tasks), self.top_down.top.numel())

    @classmethod
    def check(cls, options: TopDownOptions, tasks: Sequence[Task]) -> None:  # noqa: ARG003
        for idle, name, value, without in (
            (not options.image and options.td != "add", "td", options.td, "image=false"),
            (not options.spatial and options.upsample != "bilinear", "upsample", options.upsample, "spatial=false"),
            (
                "gated" not in (options.td, options.bu2) and options.gate != "sigmoid",
                "gate",
                options.gate,
                "no gated connection",
            ),
        ):
            if idle:
                raise UsageError(f"option '{name}' of method 'td' is '{value}', which does nothing with {without}.")

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        images = cast(Tensor, inputs)
        return self.look_again(images, self.first_look(images), task)[0]

    def every_task(self, inputs: Inputs) -> list[Tensor]:
        images = cast(Tensor, inputs)
        glance = self.first_look(images)
        tasks = (self.asking(images, index) for index in range(len(self.tasks)))
        return [self.fitted(self.look_again(images, glance, task)[0])[i] for i, task in enumerate(tasks)]

    def first_look(self, images: Tensor) -> Glance:
        """BU1, if the top-down stream sees the image."""
        return self.glance(images) if self.options.image else NOTHING

    def glance(self, images: Tensor) -> Glance:
        """BU1: the backbone's maps of the images (B, C, H, W), with nothing modulated."""
        maps, x = [], images
        for stage in self.backbone.levels():
            maps.append(stage.pre(x))
            x = stage.post(maps[-1])
        return Glance(maps=(*maps, x))

    def look_again(self, images: Tensor, glance: Glance, task: Tensor) -> tuple[Tensor, Tensor]:
        """TD and BU2, for one task per image (B,): the logits (B, widest) and the image-level map d0."""
        asked = nn.functional.one_hot(task, len(self.tasks)).float()
        levels = self.top_down(self.embedding(asked), glance)  # d0, d1, ..., d_L
        x = self.top_down.modulate(images, levels[0], 0)
        for number, stage in enumerate(self.backbone.levels(), start=1):
            x = stage.post(self.top_down.modulate(stage.pre(x), levels[number], number))
        return self.branch(self.backbone.neck(x)), levels[0]

    def losses(self, batch: Batch) -> Losses:
        """The classification loss of BU2, with the auxiliary losses that were asked for added to each task's."""
        if not (self.options.bu1_loss or self.options.td_loss):
            return super().losses(batch)
        images = cast(Tensor, batch.inputs)
        glance = self.glance(images) if self.options.bu1_loss else self.first_look(images)
        tasks = range(len(self.tasks))
        if batch.drawn is None:
            looks = [self.look_again(images, glance, self.asking(images, task)) for task in tasks]
        else:
            looks = [self.look_again(images, glance, batch.drawn.repeat_interleave(batch.views))] * len(tasks)
        losses = self.mean_losses([self.fitted(logits)[task] for task, (logits, _) in enumerate(looks)], batch)
        means = losses.means
        if self.options.bu1_loss:
            seen = self.fitted(self.branch(self.backbone.neck(glance.top)))
            means = means + self.options.bu1_loss * self.mean_losses(seen, batch).means
        if self.options.td_loss:
            means = means + self.options.td_loss * self.foreground_losses([d0 for _, d0 in looks], batch)
        return dataclasses.replace(losses, means=means)

    def foreground_losses(self, maps: list[Tensor], batch: Batch) -> Tensor:
        """(T,) the binary cross-entropy between d0 (B, channels, H, W), its channels averaged, as logits, and where
        the task's object is, averaged over pixels and over the labels used."""
        assert batch.foreground is not None  # else the network could not be built
        means = []
        for task, (d0, use) in enumerate(zip(maps, batch.use, strict=True)):
            rows = use.nonzero().squeeze(1)
            logits, target = d0[rows].mean(1), batch.foreground(batch.rows[rows], task)
            loss = nn.functional.binary_cross_entropy_with_logits(logits.expand_as(target), target)
            means.append(loss if len(rows) else d0.new_zeros(()))
        return torch.stack(means)


class TopDownStream(nn.Module):
    """From the task's embedding down to the image: one map per level, and the laterals that connect both passes.

    Level 0 is the image, level l the map of stage l; each convolution mirrors the one that it passes on the way down.
    """

    def __init__(self, options: TopDownOptions, backbone: Backbone, image_channels: int) -> None:
        super().__init__()
        self.options = options
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
        self.to_bu2 = nn.ModuleList([nn.Conv2d(a, b, 1) for a, b in zip(widths, bottom_up, strict=True)])

    def mirror(self, forward: nn.Module, inputs: int, outputs: int) -> nn.Conv2d:
        """The convolution that undoes the shrinking of a stage's; 1 x 1 where modulation is not spatial."""
        if not isinstance(forward, nn.Conv2d) or forward.stride != (1, 1):
            raise UsageError(
                f"method 'td' cannot mirror a stage that is a {type(forward).__name__}.",
                allowed="It mirrors stages of one convolution with stride 1, such as LeNet's.",
            )
        if not self.options.spatial:
            return nn.Conv2d(inputs, outputs, 1)
        (kernel, _), padding = forward.kernel_size, int(forward.padding[0])
        return nn.Conv2d(inputs, outputs, kernel, padding=kernel - 1 - padding)

    def forward(self, embedded: Tensor, glance: Glance) -> list[Tensor]:
        """The maps d_0 (B, C, H, W), d_1, ..., d_L from the embedded task (B, top.numel())."""
        level = self.connect_bu1(embedded.view(-1, *self.top), glance, len(self.sizes))
        levels = []
        for number in reversed(range(len(self.sizes))):
            level = self.connect_bu1(self.grow(level, self.sizes[number]), glance, number)
            levels.append(level)
            level = self.convolutions[number](level)
        return [level, *reversed(levels)]

    def grow(self, level: Tensor, size: tuple[int, ...]) -> Tensor:
        """Upsample a map to the size (H, W) of the stage below."""
        if not self.options.spatial:
            return level
        corners = False if self.options.upsample == "bilinear" else None
        return nn.functional.interpolate(level, size, mode=self.options.upsample, align_corners=corners)

    def connect_bu1(self, level: Tensor, glance: Glance, number: int) -> Tensor:
        """Let BU1's map into the stream; its mean over places where modulation is not spatial (Table 2a)."""
        if not self.options.image:
            return level
        seen = glance.maps[number]
        if not self.options.spatial:
            seen = seen.mean((2, 3), keepdim=True)
        return self.connect(self.options.td, level, self.from_bu1[number](seen))

    def modulate(self, maps: Tensor, level: Tensor, number: int) -> Tensor:
        """BU2's map of a level (0 is the image), modulated by the stream's."""
        return self.connect(self.options.bu2, maps, self.to_bu2[number](level))

    def connect(self, connectivity: str, x: Tensor, z: Tensor) -> Tensor:
        """x + z, x z, or x + x sigma(z) (Eq. 3)."""
        if connectivity == "add":
            return x + z
        if connectivity == "mul":
            return x * z
        return x * (1 + (z.sigmoid() if self.options.gate == "sigmoid" else z.tanh()))
