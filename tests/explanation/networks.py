"""Networks made by hand, whose right maps are known in closed form."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Backbone, Classification, Inputs, OneTaskNetwork, Setup, Stage, Task

TASKS = tuple(Task(name=name, kind=Classification(classes=3)) for name in ("left", "right"))
SIDE = 12


class Hand(Backbone):
    """One convolution of 5 x 5 without padding, and a relu in place: maps (2, 8, 8) that show the image's middle."""

    in_place = True

    def __init__(self, options: Any, input_shape: tuple[int, ...]) -> None:  # noqa: ARG002
        conv = nn.Conv2d(input_shape[0], 2, 5)
        super().__init__({"conv": Stage(conv, nn.ReLU(inplace=self.in_place))}, nn.Flatten(), input_shape)
        self.features = 2 * 8 * 8

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)


class HandOutOfPlace(Hand):
    in_place = False


def setup(backbone: type[Backbone] = Hand) -> Setup:
    return Setup(tasks=TASKS, backbone_class=backbone, backbone_options=None, input_shape=(1, SIDE, SIDE), seed=0)


class Heads(AllTasksNetwork):
    """A linear head for each task on one backbone."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.heads = nn.ModuleList([setup.head(self.backbone, 3, task.name) for task in setup.tasks])

    def forward(self, inputs: Inputs) -> list[Tensor]:
        z = self.backbone(inputs)
        return [head(z) for head in self.heads]


class Scaled(OneTaskNetwork):
    """One head; the task that is asked for scales the channels of the map, in place, before its relu."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, 3)
        self.scales = nn.Parameter(torch.tensor([[2.0, 0.5], [-1.0, 3.0]]))  # (tasks, channels)

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        def scale(name: str, maps: Tensor) -> Tensor:
            return maps.mul_(self.scales[task][..., None, None]) if name == "conv" else maps

        return cast(Tensor, self.branch(self.backbone.walk(cast(Tensor, inputs), scale)))


class Twice(OneTaskNetwork):
    """The backbone is used twice: first on the image, then on the image plus its mean map times the task's factor.

    What is asked is answered by the second pass, or where `last` is false by the first of two.
    """

    last = True

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, 3)
        self.factors = nn.Parameter(torch.tensor([0.5, -1.0]))

    def second(self, inputs: Tensor, task: Tensor) -> Tensor:
        first = self.backbone(inputs).mean(1)
        return cast(Tensor, inputs + (self.factors[task] * first)[:, None, None, None])

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        images = cast(Tensor, inputs)
        output = self.branch(self.backbone(self.second(images, task)))
        if not self.last:
            self.backbone(images + 1)  # of no use to the answer
        return cast(Tensor, output)


class LooksInVain(Twice):
    last = False


class Apart(AllTasksNetwork):
    """A backbone for each task, and heads that read both."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbones = nn.ModuleList([setup.build_backbone() for _ in setup.tasks])
        for number, backbone in enumerate(self.backbones):
            with torch.no_grad():
                next(backbone.parameters()).mul_(number + 1)
        self.heads = nn.ModuleList([nn.Linear(2 * 128, 3) for _ in setup.tasks])

    def forward(self, inputs: Inputs) -> list[Tensor]:
        z = torch.cat([backbone(inputs) for backbone in self.backbones], dim=1)
        return [head(z) for head in self.heads]
