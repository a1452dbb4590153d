"""Channel modulation: one network for all tasks, whose channels each task scales by its own vector."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Batch, Inputs, Losses, OneTaskNetwork, Setup, Task, option
from mtbench.errors import UsageError

from .localization import divisor_option, localization_losses, require_points, weight_option

__all__ = ["ChannelModulation"]


@dataclass(frozen=True, kw_only=True)
class ChannelModulationOptions:
    stages: str = option(
        "paper",
        "what is modulated: the layers that Levi & Ullman's counts fit, conv maps, fc layers, or all",
        choices=("paper", "conv", "fc", "all"),
    )
    first: int = option(1, "the first conv map that is modulated, counted from 1", low=1)
    variant: str = option("vector", "a scale per channel, or a C x C projection", choices=("vector", "projection"))
    relu_mask: bool = option(False, "use the relu of the vectors, as the released code does")
    regularizer: float = option(
        0.0,
        "lambda of Eq. 8: tasks i and j are nearer to each other than i and k",
        low=0,
        formerly="regulariser",
    )
    beta: float = option(0.2, "margin of Eq. 8", low=0)
    triple: tuple[str, ...] = option((), "tasks i/j/k of Eq. 8, by name")
    loc_loss: float = weight_option("on a coarse map of the last stage")
    loc_divisor: str = divisor_option()
    loc_target: str = option(
        "image",
        "the target of loc_loss: at the image's size, to which the map is enlarged, or pooled to the map's cells",
        choices=("image", "cells"),
    )


class ChannelModulation(OneTaskNetwork):
    """Channel modulation (Zhao et al. 2018): each task scales the channels of one shared network.

    For the requested task t, a feature map x (B, C, H, W) becomes::

        x'[c] = w_t[c] x[c]               vector, w_t in R^C, initialized to 1
        x'[i] = sum_j W_t[i, j] x[j]      projection, W_t in R^(C x C), initialized to the identity

    The layers are the places that the backbone offers: the conv maps of its stages and z, the fc embedding; on VGG-11
    every convolution, and as fc layers both hidden ones of the head. By default all but z, which agrees with the counts
    of Levi & Ullman (2020): 30 factors per task on LeNet, 2,368 + 2,048 on VGG-11, on ResNet-18 those of stem and
    layers.

    Chosen here: layers are modulated before their nonlinearity, as in the top-down network, so that the two can be
    compared (Zhao et al.: after it); z, if it is modulated, after it.

    With loc_loss a 1 x 1 convolution makes a map with one channel from the output of the last stage, 7 x 7 on VGG-11
    and ResNet-18 at 224 x 224, and it learns the place of the task's object, by
    `mtbench_methods.networks.localization`; it is the part `coarse_map`. Levi & Ullman (2020) do not say how their map
    gets the size of the image. Here it is enlarged bilinearly, and cannot approach the target's narrow peak; with
    ``loc_target=cells`` the target is made as coarse instead.

    Compared with: the formula written out again, atol=1e-6
    (networks/test_chmod.py::test_factors_act_before_the_nonlinearity); Eq. 8 by hand, rel=1e-4
    (networks/test_chmod.py::test_the_regularizer_is_eq_8); the papers' numbers of factors, exactly
    (networks/test_embeddings.py::test_a_task_has_as_many_factors_as_the_paper_says_from_each_block_on).
    """

    Options = ChannelModulationOptions
    paper = "Zhao et al., A Modulation Module for Multi-task Learning with Applications in Image Retrieval, ECCV 2018"
    title = "Channel modulation"
    bibtex = """@inproceedings{zhao2018modulation,
      title = {A Modulation Module for Multi-task Learning with Applications in Image Retrieval},
      author = {Zhao, Xiangyun and Li, Haoxiang and Shen, Xiaohui and Liang, Xiaodan and Wu, Ying},
      booktitle = {European Conference on Computer Vision (ECCV)},
      year = {2018},
    }"""
    per_task = frozenset({"modulation"})
    modulated_by = "modulation"
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: ChannelModulationOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        shapes = self.backbone.places(self.branch)
        conv = [name for name, shape in shapes.items() if len(shape) > 1 and name != NECK]
        fc = [name for name in shapes if name not in conv]
        if options.first > len(conv):
            raise UsageError(
                f"option 'first' of method 'chmod' is {options.first}.",
                allowed=f"This backbone has conv maps 1 to {len(conv)}.",
            )
        chosen = conv[options.first - 1 :] if options.stages != "fc" else []
        if options.stages == "paper":
            chosen += [name for name in fc if name != NECK]
        elif options.stages != "conv":
            chosen += fc
        widths = {name: shape[0] for name, shape in shapes.items()}
        one = torch.ones if options.variant == "vector" else torch.eye
        self.modulation = nn.ParameterDict(
            {name: nn.Parameter(torch.stack([one(widths[name]) for _ in setup.tasks])) for name in chosen}
        )
        if options.loc_loss:
            require_points("chmod", setup)
            _require_places(self.backbone.shapes[-1].post)
            self.task_map_name = "coarse map"
            with setup.initialized("coarse map"):
                self.coarse_map = nn.Conv2d(self.backbone.shapes[-1].post[0], 1, 1)

    @classmethod
    def check(cls, options: ChannelModulationOptions, tasks: Sequence[Task]) -> None:
        if options.relu_mask and options.variant == "projection":
            raise UsageError(
                "option 'relu_mask' of method 'chmod' is for vectors: a projection's entries beside the diagonal start "
                "at 0, where a relu lets no gradient through."
            )
        for name, idle in (("loc_divisor", "visible"), ("loc_target", "image")):
            if not options.loc_loss and (value := getattr(options, name)) != idle:
                raise UsageError(f"option '{name}' of method 'chmod' is '{value}', which does nothing with loc_loss=0.")
        if options.stages == "fc" and options.first != 1:
            raise UsageError("option 'first' of method 'chmod' is for conv stages, and stages=fc modulates none.")
        if not options.regularizer:
            if options.triple or options.beta != ChannelModulationOptions().beta:
                raise UsageError("options 'triple' and 'beta' of method 'chmod' do nothing without 'regularizer'.")
            return
        names = [task.name for task in tasks]
        if len(set(options.triple)) != 3 or len(options.triple) != 3 or not set(options.triple) <= set(names):
            raise UsageError(
                f"option 'triple' of method 'chmod' is '{'/'.join(options.triple)}'.",
                allowed=f"With a regularizer it names three tasks i/j/k of: {', '.join(names)}.",
            )

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        return self.backbone.answer(
            cast(Tensor, inputs), self.branch, lambda name, maps: self.modulate(name, maps, task)
        )

    def modulate(self, name: str, maps: Tensor, task: Tensor) -> Tensor:
        """Return the feature map or vector (B, C, ...) of a layer, scaled or projected for each input's task (B,)."""
        if name not in self.modulation:
            return maps
        factors = self.modulation[name]
        if self.options.relu_mask:
            factors = factors.relu()
        factors = factors[task]  # (B, C) or (B, C, C)
        if self.options.variant == "projection":
            return torch.einsum("bij,bj...->bi...", factors, maps)
        return maps * cast(Tensor, factors.view(*factors.shape, *[1] * (maps.dim() - 2)))

    def losses(self, batch: Batch) -> Losses:
        """Return the classification loss, and the localization loss as its auxiliary term if loc_loss is set."""
        if not self.options.loc_loss:
            return super().losses(batch)
        with self.last_maps() as last:
            losses = self.mean_losses(self.training_outputs(batch), batch)
        maps = [self.coarse_map(seen) for seen in last]  # one of all examples, or one per task
        if self.options.loc_target == "image":
            size = cast(Tensor, batch.inputs).shape[2:]
            maps = [nn.functional.interpolate(map_, size, mode="bilinear", align_corners=False) for map_ in maps]
        each = [map_[:, 0] for map_ in maps] * (len(self.tasks) // len(maps))
        located = localization_losses(each, batch, self.tasks, divisor=self.options.loc_divisor)
        return dataclasses.replace(losses, auxiliary=self.options.loc_loss * located)

    def task_map(self, inputs: Inputs, index: int) -> Tensor | None:
        """Return the softmax of the coarse map's logits over its cells; None if no such map is trained."""
        if not self.options.loc_loss:
            return None
        with self.last_maps() as last:
            self(inputs, self.asking(inputs, index))
        logits = self.coarse_map(last[0])[:, 0]
        return cast(Tensor, logits.flatten(1).softmax(1).view_as(logits))

    @contextmanager
    def last_maps(self) -> Iterator[list[Tensor]]:
        """Collect the last stage's output (B, C, H, W) of each forward pass within the block."""
        seen: list[Tensor] = []
        hook = self.backbone.neck.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            yield seen
        finally:
            hook.remove()

    def penalty(self) -> Tensor | None:
        """Return lambda max(0, |w_i - w_j|^2 + beta - |w_i - w_k|^2), w the concatenated vectors of a task: Eq. 8."""
        if not self.options.regularizer:
            return None
        names = [task.name for task in self.tasks]
        rows = torch.cat([factors.flatten(1) for factors in self.modulation.values()], dim=1)  # (T, all)
        i, j, k = (rows[names.index(name)] for name in self.options.triple)
        gap = (i - j).square().sum() + self.options.beta - (i - k).square().sum()
        return cast(Tensor, self.options.regularizer * gap.relu())


def _require_places(shape: tuple[int, ...]) -> None:
    """Raise UsageError if the last stage's map has one place, for which the loss is constant."""
    if math.prod(shape[1:]) < 2:
        raise UsageError(
            "option 'loc_loss' of method 'chmod' needs a last feature map with places, and this backbone's is 1 x 1 "
            "for images of this size.",
            mend="Leave it out, or take larger images or another backbone.",
        )
