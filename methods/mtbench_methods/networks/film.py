"""FiLM: channel modulation with a shift beside the scale."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Inputs, OneTaskNetwork, Setup

from .rows import per_channel

__all__ = ["Film"]


class Film(OneTaskNetwork):
    """Feature-wise linear modulation (Perez et al. 2018): each task scales and shifts the channels of one network.

    For the task t that is asked for, every stage's map x (B, C, H, W) becomes (Eq. 2)::

        x'[c] = g_t[c] x[c] + b_t[c]          g_t, b_t in R^C, initialized to 1 and 0

    In the paper a network makes g and b of a question. Of a task's index a linear layer makes any pair of vectors per
    task: these are learned themselves. Maps are modulated before their last nonlinearity, as in the paper, and so where
    `chmod` and the top-down network modulate too; z is not. Without the shift it is `chmod`.
    """

    paper = "Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, AAAI 2018"
    per_task = frozenset({"scale", "shift"})
    needs_stages = True

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        shapes = zip(self.backbone.stages, self.backbone.shapes, strict=True)
        sizes = {name: (len(setup.tasks), shape.pre[0]) for name, shape in shapes}
        self.scale = nn.ParameterDict({name: nn.Parameter(torch.ones(size)) for name, size in sizes.items()})
        self.shift = nn.ParameterDict({name: nn.Parameter(torch.zeros(size)) for name, size in sizes.items()})

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        z = self.backbone.walk(cast(Tensor, inputs), lambda name, maps: self.modulate(name, maps, task))
        return cast(Tensor, self.branch(z))

    def modulate(self, name: str, maps: Tensor, task: Tensor) -> Tensor:
        """The feature map (B, C, H, W) of a stage, scaled and shifted for each input's task (B,)."""
        if name == NECK:
            return maps
        return per_channel(self.scale[name][task], maps) * maps + per_channel(self.shift[name][task], maps)
