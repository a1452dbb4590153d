"""The backbone of a network: named stages that methods can modulate, a neck, and heads that fit it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from mtbench.contract.conformance import Conformance
from mtbench.contract.options import NoOptions
from mtbench.contract.tasks.task import Layout

__all__ = ["NECK", "Backbone", "Stage", "StageShape"]

NECK = "neck"
"""The name of the representation z in `Backbone.walk`."""


class Stage(nn.Module):
    """One level of a backbone, in two halves: methods modulate the feature map between them.

    Attributes:
        pre: the module from the stage's input to the feature map before its last nonlinearity.
        post: that nonlinearity and the pooling.
    """

    def __init__(self, pre: nn.Module, post: nn.Module) -> None:
        super().__init__()
        self.pre = pre
        self.post = post

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.post(self.pre(images)))


@dataclass(frozen=True, kw_only=True)
class StageShape:
    """The shapes (C, H, W) of a stage's feature map before and after its last nonlinearity and pooling."""

    pre: tuple[int, int, int]
    post: tuple[int, int, int]


class Backbone(nn.Module, ABC):
    """Stages, a neck and heads.

    A subclass takes ``(options, input_shape)``, builds `stages` and `neck`, and calls ``super().__init__`` with them.

    Attributes:
        Options: the options class.
        conformance: facts that only `mtbench check` reads.
        has_stages: True if it has feature maps that methods can modulate.
        stages: the stages by name, in order.
        layout: form of the outputs of its heads: one vector per input, or a map; then z is a map too.
        neck: the module from the last stage's output to the representation z (B, features), or (B, features, H, W).
        features: the width of z; its number of channels if it is a map.
        input_shape: the shape of one input, (C, H, W), that the backbone was built for.
        shapes: shapes of the feature maps per stage, for that input shape.
        largest_map: the size of the largest feature map of one input, as a number of values, over all modules.
    """

    Options: ClassVar[type[Any]] = NoOptions
    paper: ClassVar[str] = ""
    conformance: ClassVar[Conformance] = Conformance()
    has_stages: ClassVar[bool] = True
    layout: ClassVar[Layout] = "vector"
    features: int

    def __init__(self, stages: dict[str, Stage], neck: nn.Module, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.neck = neck
        self.input_shape = input_shape
        self.shapes, self.largest_map = self._measure(input_shape)

    @abstractmethod
    def head(self, output_size: int) -> nn.Module:
        """Return a fresh head from z (B, features) to (B, output_size), or from maps to maps (B, output_size, H, W)."""

    def branch(self, output_size: int) -> nn.Module:
        """Return a fresh head like `head`, to be one of several on one z.

        By default both are alike. A backbone whose z is an output already returns the part that separates the tasks'
        outputs.
        """
        return self.head(output_size)

    def levels(self) -> list[Stage]:
        """Return the stages in order."""
        return [cast(Stage, stage) for stage in self.stages.values()]

    def forward(self, images: Tensor) -> Tensor:
        """Return z (B, features) from images (B, C, H, W)."""
        return self.walk(images, lambda _, maps: maps)

    def walk(self, images: Tensor, change: Callable[[str, Tensor], Tensor]) -> Tensor:
        """Return z (B, features), where the map of every stage is changed before its last nonlinearity.

        Args:
            change: a function from a stage's name and its map (B, C, H, W), or from `NECK` and z, to the value that
                replaces it.
        """
        for name, stage in self.stages.items():
            assert isinstance(stage, Stage)
            images = stage.post(change(name, stage.pre(images)))
        return change(NECK, cast(Tensor, self.neck(images)))

    def answer(self, images: Tensor, head: nn.Module, change: Callable[[str, Tensor], Tensor]) -> Tensor:
        """Return the outputs of a head on images (B, C, H, W), where every layer that papers modulate is changed.

        By default these are the places of `walk`. A backbone that has more of them, such as each convolution of a stage
        or the hidden layers of its heads, overrides this method and visits these places instead.

        Args:
            head: a head of this backbone, see `head`.
            change: a function from the name of a place and its map (B, C, H, W), or its vector (B, C), to the value
                that replaces it.
        """
        return cast(Tensor, head(self.walk(images, change)))

    def places(self, head: nn.Module) -> dict[str, tuple[int, ...]]:
        """Return the shape of an input's values at each place that `answer` visits, by name and in order."""
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str, values: Tensor) -> Tensor:
            shapes[name] = tuple(values.shape[1:])
            return values

        modes = self.training, head.training
        self.eval()  # as in `_measure`
        head.eval()
        with torch.no_grad():
            self.answer(torch.zeros(1, *self.input_shape), head, note)
        self.train(modes[0])
        head.train(modes[1])
        return shapes

    def _measure(self, input_shape: tuple[int, ...]) -> tuple[tuple[StageShape, ...], int]:
        maps, shapes, sizes = torch.zeros(1, *input_shape), [], [0]
        hooks = [
            module.register_forward_hook(lambda _, __, output: sizes.append(output.numel()))
            for module in self.stages.modules()
        ]
        self.eval()  # measuring shapes is no training: running statistics stay as they are
        with torch.no_grad():
            for stage in self.levels():
                pre = stage.pre(maps)
                maps = stage.post(pre)
                shapes.append(StageShape(pre=tuple(pre.shape[1:]), post=tuple(maps.shape[1:])))
        self.train()
        for hook in hooks:
            hook.remove()
        return tuple(shapes), max(sizes)
