"""MTAN: soft attention masks for each task on one shared backbone."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, BatchNorm, Inputs, Setup

__all__ = ["Mtan"]


class View(NamedTuple):
    """A stage for the masks: relu(u) and the map x that they multiply, of one size; the smallest size (h, w) up to u.

    The masks multiply relu(x), which is computed once for all tasks, since relu(a x) = a relu(x); at the last stage
    they multiply x, whose nonlinearity is in the next layers.
    """

    u: Tensor
    x: Tensor
    lowest: torch.Size


class Mtan(AllTasksNetwork):
    """MTAN (Liu et al. 2019): a shared backbone, and per task an attention mask on every stage's map.

    With u_l (B, C', H, W) the output of the first convolution of stage l, x_l (B, C, H, W) its map before the last
    nonlinearity, and g, k 1 x 1 convolutions, the values for task t are (Eq. 1 and 2)::

        a_l = sigmoid(BN(k_tl(relu(BN(g_tl([relu(u_l), h_l]))))))        (B, C, H, W); at the first stage without h
        h_l+1 = resize(pool(relu(BN(f_l(relu(a_l x_l))))))              as large as u_l+1, with the channels of x_l+1
        y_t = branch_t(neck(post(a_L x_L)))

    and if stage l + 1 enlarges its map before its first convolution, as the stages of a decoder do, u_l+1 is the
    enlarged map, and::

        h_l+1 = relu(BN(f_l(enlarge(relu(a_l x_l)))))

    g and k are task-specific and as wide as x_l; f is a 3 x 3 convolution that, with its normalization, all tasks
    share. The backbone itself is not masked. As a > 0, relu(a x) is the paper's a relu(x). Between an encoder and its
    decoder, where maps shrink and grow again, both forms apply one after the other, with an f each.

    On the backbone `segnet` this is the network of the released code (model_segnet_mtan.py), with masks in encoder and
    decoder; but the convolutions of that code before a normalization have biases, which have no effect, and it draws
    the initial weights of masks and f by Xavier's rule, where here they are PyTorch's default ones. On `deeplab` the
    masks end with the encoder, so that every task's decoder reads its own features. The code's version of that
    (resnet_mtan.py) is narrower: no mask on the stem, u the output of the last block but one, a quarter of the channels
    within a mask, and f a bottleneck block.

    Chosen here: for stages that are no VGG blocks, u_l is the output of the first layer of the stage with a convolution
    in it, x_l if the stage is one layer, and is max-pooled if the stage pools after it. `pool` halves if the next map
    is smaller, `resize` is bilinear and does the rest (LeNet: 24 -> 12 -> 8). Convolutions before a normalization have
    no bias. A channel with one value in the batch is normalized by its running statistics in training too.

    Compared with: the released code's data flow on SegNet, written out again, rtol=1e-3, atol=1e-4
    (networks/test_mtan.py::test_on_segnet_the_data_flow_is_that_of_the_released_code); its number of parameters,
    exactly
    (networks/test_mtan.py::test_on_segnet_the_parameters_are_those_of_the_released_code_without_biases_before_normalizations).
    """

    paper = "Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019"
    title = "MTAN"
    bibtex = """@inproceedings{liu2019end,
      title = {End-to-End Multi-Task Learning with Attention},
      author = {Liu, Shikun and Johns, Edward and Davison, Andrew J.},
      booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2019},
    }"""
    per_task = frozenset({"attention", "branches"})
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        seen = self.measure(setup.input_shape)
        first, widths = [view.u.shape[1] for view in seen], [view.x.shape[1] for view in seen]
        before = [0, *widths[1:]]  # the channels of h
        self.attention = nn.ModuleList()
        for task in setup.tasks:
            with setup.initialized(f"attention/{task.name}"):
                masks = [attention(u + h, x) for u, h, x in zip(first, before, widths, strict=True)]
            self.attention.append(nn.ModuleList(masks))
        with setup.initialized("transitions"):
            self.transitions = nn.ModuleList([Transition(one, following) for one, following in pairwise(seen)])
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        seen = self.look(cast(Tensor, inputs))
        return [self.attend(seen, index) for index in range(len(self.tasks))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.attend(self.look(cast(Tensor, inputs)), index)

    def look(self, images: Tensor) -> list[View]:
        """Return the views of the backbone for every task, stage by stage."""
        seen, levels = [], self.backbone.levels()
        for stage in levels:
            u, lowest, rest = begun(stage.pre, images)
            x, active = rest(u), u.relu()
            masked = x if stage is levels[-1] else active if x is u else x.relu()
            seen.append(View(u=fitted(active, x.shape[2:]), x=masked, lowest=lowest))
            images = stage.post(x)
        return seen

    def attend(self, seen: list[View], index: int) -> Tensor:
        """Return one task's output, from the result of `look`."""
        masks = cast(nn.ModuleList, self.attention[index])
        masked = masks[0](seen[0].u) * seen[0].x
        for transition, mask, view in zip(self.transitions, list(masks)[1:], seen[1:], strict=True):
            masked = mask(torch.cat([view.u, dense_gradient(transition(masked, view))], dim=1)) * view.x
        top = self.backbone.levels()[-1].post(masked)
        return cast(Tensor, self.branches[index](self.backbone.neck(top)))

    def measure(self, input_shape: tuple[int, ...]) -> list[View]:
        """Return the result of `look` for an empty image."""
        self.backbone.eval()
        with torch.no_grad():
            seen = self.look(torch.zeros(1, *input_shape))
        self.backbone.train()
        return seen


class Transition(nn.Module):
    """f: from a masked map x_l to h_l+1, at the size of the next stage's mask."""

    def __init__(self, view: View, following: View) -> None:
        super().__init__()
        inputs, outputs = view.x.shape[1], following.x.shape[1]
        self.down, self.up = None, None
        if is_larger(following.u.shape[2:], following.lowest):  # it enlarges the map, after a pool or without one
            if is_larger(view.x.shape[2:], following.lowest):
                self.down = normalized(inputs, inputs, 3, nn.ReLU())
            self.up = normalized(inputs, outputs, 3, nn.ReLU())
        else:
            self.down = normalized(inputs, outputs, 3, nn.ReLU())

    def forward(self, masked: Tensor, following: View) -> Tensor:
        size = following.u.shape[2:]
        if self.down is not None:
            small = size if self.up is None else following.lowest
            convolution, norm, relu = self.down
            masked = norm(convolution(masked))
            halves = [2 if side > next_side else 1 for side, next_side in zip(masked.shape[2:], small, strict=True)]
            masked = resized(relu(pooled(masked, halves, ceil_mode=True)), small)  # to pool first gives the same bits
        if self.up is not None:
            large = nn.functional.interpolate(masked, size=size, mode="bilinear", align_corners=True)
            masked = self.up(large)
        return masked


def normalized(inputs: int, outputs: int, kernel: int, nonlinearity: nn.Module) -> nn.Sequential:
    """Return a convolution that keeps the size, its normalization, and a nonlinearity."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, BatchNorm(outputs), nonlinearity)


def attention(inputs: int, outputs: int) -> nn.Sequential:
    """Return a module from (B, inputs, H, W) to a mask in (0, 1)."""
    return nn.Sequential(normalized(inputs, outputs, 1, nn.ReLU()), normalized(outputs, outputs, 1, nn.Sigmoid()))


def begun(pre: nn.Module, images: Tensor) -> tuple[Tensor, torch.Size, nn.Module]:
    """Start a stage: return the map after its first layer with a convolution or enlargement, and the remaining layers.

    The smallest size of a map up to there is returned too.
    """
    layers = list(pre) if isinstance(pre, nn.Sequential) else [pre]
    maps, lowest, is_started = images, images.shape[2:], False
    while layers and not is_started:
        layer, before = layers.pop(0), maps.shape[2:]
        maps = layer(maps)
        lowest = maps.shape[2:] if is_larger(lowest, maps.shape[2:]) else lowest
        is_started = is_larger(maps.shape[2:], before) or any(isinstance(part, nn.Conv2d) for part in layer.modules())
    return maps, lowest, nn.Sequential(*layers)


def is_larger(size: Sequence[int], other: Sequence[int]) -> bool:
    """Return True if a map of a size has more places than one of another size."""
    return math.prod(size) > math.prod(other)


def fitted(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return the maps (B, C, ...) at the size that a pool has made of theirs, rounded up or down."""
    sides = list(zip(maps.shape[2:], size, strict=True))
    factors = [round(large / small) for large, small in sides]
    up = any(large < factor * small for factor, (large, small) in zip(factors, sides, strict=True))
    return resized(pooled(maps, factors, ceil_mode=up), size)


def pooled(maps: Tensor, factors: list[int], *, ceil_mode: bool) -> Tensor:
    """Return the maps (B, C, H, W) max-pooled by a factor for each side; a pool by 1 would be a useless pass."""
    return maps if factors == [1, 1] else nn.functional.max_pool2d(maps, factors, ceil_mode=ceil_mode)


def dense_gradient(maps: Tensor) -> Tensor:
    """Return the same maps, whose gradient has the same memory format.

    After a concatenation of channels it would be every other part of a larger tensor, on which the gradient of
    `resized` takes four times as long.
    """
    if maps.requires_grad:
        maps.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))  # type: ignore[no-untyped-call]
    return maps


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return the maps (B, C, ...) at that size, bilinearly."""
    if maps.shape[2:] == tuple(size):
        return maps
    return nn.functional.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
