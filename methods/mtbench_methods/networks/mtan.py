"""MTAN: each task looks at one shared backbone through soft attention masks of its own."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, BatchNorm, Inputs, Setup

__all__ = ["Mtan"]


class Mtan(AllTasksNetwork):
    """MTAN (Liu et al. 2019): a shared backbone, and per task an attention mask on every stage's map.

    With u_l (B, C', H, W) the output of the first convolution of stage l, x_l (B, C, H, W) its map before the last
    nonlinearity, and g, k 1 x 1 convolutions, task t sees (Eq. 1 and 2)::

        a_l = sigmoid(BN(k_tl(relu(BN(g_tl([relu(u_l), h_l]))))))        (B, C, H, W); at the first stage without h
        h_l+1 = resize(pool(relu(BN(f_l(relu(a_l x_l))))))              as large as u_l+1, with the channels of x_l+1
        y_t = branch_t(neck(post(a_L x_L)))

    g and k are the task's own and as wide as x_l; f is a 3 x 3 convolution that, with its normalization, all tasks
    share. The backbone itself goes on unmasked. As a > 0, relu(a x) is the paper's a relu(x).

    Chosen where the paper has VGG blocks alone: u_l is that of the first layer of the stage with a convolution in it,
    x_l where the stage is one layer, and is max-pooled where the stage pools after it. `pool` halves where the next map
    is smaller, `resize` is bilinear and does the rest (LeNet: 24 -> 12 -> 8). Convolutions before a normalization have
    no bias. A channel with one value in the batch is normalized by its running statistics in training too.
    """

    paper = "Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019"
    per_task = frozenset({"attention", "branches"})
    needs_stages = True

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        first, widths = self.measure(setup.input_shape)
        before = [0, *widths[1:]]  # the channels of h
        self.attention = nn.ModuleList()
        for task in setup.tasks:
            with setup.initialized(f"attention/{task.name}"):
                masks = [attention(u + h, x) for u, h, x in zip(first, before, widths, strict=True)]
            self.attention.append(nn.ModuleList(masks))
        with setup.initialized("transitions"):
            self.transitions = nn.ModuleList([normalized(a, b, 3, nn.ReLU()) for a, b in pairwise(widths)])
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        seen = self.look(cast(Tensor, inputs))
        return [self.attend(seen, index) for index in range(len(self.tasks))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.attend(self.look(cast(Tensor, inputs)), index)

    def look(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What the backbone shows to every task: per stage relu(u) and x, of one size."""
        seen = []
        for stage in self.backbone.levels():
            start, rest = parted(stage.pre)
            u = start(images)
            x = rest(u)
            seen.append((fitted(u.relu(), x.shape[2:]), x))
            images = stage.post(x)
        return seen

    def attend(self, seen: list[tuple[Tensor, Tensor]], index: int) -> Tensor:
        """One task's output, from what `look` gave."""
        masks = cast(nn.ModuleList, self.attention[index])
        u, x = seen[0]
        masked = masks[0](u) * x
        for transition, mask, (u, x) in zip(self.transitions, list(masks)[1:], seen[1:], strict=True):
            h = transition(masked.relu())
            halves = [2 if side > next_side else 1 for side, next_side in zip(h.shape[2:], u.shape[2:], strict=True)]
            h = resized(nn.functional.max_pool2d(h, halves, ceil_mode=True), u.shape[2:])
            masked = mask(torch.cat([u, h], dim=1)) * x
        top = self.backbone.levels()[-1].post(masked)
        return cast(Tensor, self.branches[index](self.backbone.neck(top)))

    def measure(self, input_shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """How many channels u and x have, stage by stage."""
        self.backbone.eval()
        with torch.no_grad():
            seen = self.look(torch.zeros(1, *input_shape))
        self.backbone.train()
        return [u.shape[1] for u, _ in seen], [x.shape[1] for _, x in seen]


def normalized(inputs: int, outputs: int, kernel: int, nonlinearity: nn.Module) -> nn.Sequential:
    """A convolution that keeps the size, its normalization, and a nonlinearity."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, BatchNorm(outputs), nonlinearity)


def attention(inputs: int, outputs: int) -> nn.Sequential:
    """From (B, inputs, H, W) to a mask in (0, 1)."""
    return nn.Sequential(normalized(inputs, outputs, 1, nn.ReLU()), normalized(outputs, outputs, 1, nn.Sigmoid()))


def parted(pre: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The first half of a stage up to its first layer that holds a convolution, and what comes after that."""
    if not isinstance(pre, nn.Sequential):
        return pre, nn.Identity()
    holds = [any(isinstance(part, nn.Conv2d) for part in layer.modules()) for layer in pre]
    count = holds.index(True) + 1 if True in holds else len(pre)
    return pre[:count], pre[count:]


def fitted(maps: Tensor, size: Sequence[int]) -> Tensor:
    """The maps (B, C, ...) at a size that a pool has made of theirs, whether it rounds up or down."""
    sides = list(zip(maps.shape[2:], size, strict=True))
    factors = [round(large / small) for large, small in sides]
    up = any(large < factor * small for factor, (large, small) in zip(factors, sides, strict=True))
    return resized(nn.functional.max_pool2d(maps, factors, ceil_mode=up), size)


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """The maps (B, C, ...) at that size, bilinearly."""
    if maps.shape[2:] == tuple(size):
        return maps
    return nn.functional.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
