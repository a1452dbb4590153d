"""Tensor modulation: each task scales every place of every map by a factor of its own."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import Inputs, OneTaskNetwork, Setup, option

__all__ = ["TensorModulation"]

IMAGE = "image"
"""The name of the image's tensor, beside those of the stages."""


@dataclass(frozen=True, kw_only=True)
class TensorModulationOptions:
    where: str = option("both", "the image, the stages, or both", choices=("both", "image", "stages"))


class TensorModulation(OneTaskNetwork):
    """Tensor modulation (Levi & Ullman 2020): each task scales one network's maps, place by place.

    For the requested task t, the image and every stage's map x (C, H, W) before its last nonlinearity become
    (Fig. 3b)::

        x'[c, i, j] = w_t[c, i, j] x[c, i, j]          w_t in R^(C x H x W), initialized to 1

    It is the modulation that the top-down network computes from image and task, learned from the task alone: 784
    weights per task for an image of Multi-MNIST, 5,760 and 1,280 for LeNet's stages. The paper considers it infeasible,
    which it is for large images.

    Chosen here: the places are those of the top-down network's second pass, the image first.

    Compared with: the formula written out again, atol=1e-6
    (networks/test_tensormod.py::test_a_factor_acts_on_one_place_of_one_channel_before_the_nonlinearity).
    """

    Options = TensorModulationOptions
    paper = "Levi & Ullman, Multi-Task Learning by a Top-Down Control Network (Task-Based Top-Down Modulation), 2020"
    title = "Tensor modulation"
    bibtex = """@misc{levi2020topdown,
      title = {Multi-Task Learning by a Top-Down Control Network},
      author = {Levi, Hila and Ullman, Shimon},
      eprint = {2002.03335},
      archiveprefix = {arXiv},
      year = {2020},
    }"""
    per_task = frozenset({"modulation"})
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: TensorModulationOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        shapes = dict(zip(self.backbone.stages, (shape.pre for shape in self.backbone.shapes), strict=True))
        sizes = {} if options.where == "stages" else {IMAGE: setup.input_shape}
        sizes |= {} if options.where == "image" else shapes
        self.modulation = nn.ParameterDict(
            {name: nn.Parameter(torch.ones(len(setup.tasks), *size)) for name, size in sizes.items()}
        )

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        images = self.modulate(IMAGE, cast(Tensor, inputs), task)
        return cast(Tensor, self.branch(self.backbone.walk(images, lambda name, maps: self.modulate(name, maps, task))))

    def modulate(self, name: str, maps: Tensor, task: Tensor) -> Tensor:
        """Return the image or a stage's map (B, C, H, W), scaled for each input's task (B,)."""
        return maps * self.modulation[name][task] if name in self.modulation else maps
