"""Cross-stitch: a backbone per task, and units that mix the backbones' activations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, AllTasksNetwork, Backbone, Conformance, Inputs, Setup, is_plain, option

from .stacked import can_stack, walk_stacked

__all__ = ["CrossStitch"]

FEW = 9
"""Largest number of tasks for which mixing by sums of products or by one convolution is faster.

The former takes T^2 passes over maps; the alternative is a matrix product for each channel, for which maps are copied.
"""


@dataclass(frozen=True, kw_only=True)
class CrossStitchOptions:
    units: str = option("channel", "a mixing matrix for each channel, or one per layer", choices=("channel", "layer"))
    unit_lr: float = option(
        10.0, "learning rate of the units as a multiple of the protocol's", low=0, search=(1.0, 100.0, "log")
    )


class CrossStitch(AllTasksNetwork):
    """Cross-stitch (Misra et al. 2016): a backbone per task, whose activations are mixed by units after every stage.

    After each stage and after the neck, each channel c of the T backbones' activations x_j (B, C, ...) is mixed
    (Eq. 1)::

        x_i[c] <- sum_j A_ij[c] x_j[c]           A (T, T, C); (T, T, 1) with units=layer
        y_t = branch_t(z_t)                      z_t the mixed representation of backbone t

    A is initially 0.9 on its diagonal and 0.1 / (T - 1) elsewhere; with one task it is 1.

    All parts grow with the tasks: each task adds a backbone, a branch, and a row and a column of every A. Because of
    the units each task's loss affects every backbone. So backbones and units are the shared parameters, on which
    balancers work, and only the branches are task-specific.

    Chosen here: the backbones start from the seed's one backbone and are trained together from there (the paper: from
    networks trained for each task). Initially the rows of A sum to 1, so that the outputs are those of `single`. The
    paper's learning rate of A is 100 to 1000 times that of the backbones, with SGD; with Adam 10 times.

    Compared with: Eq. 1 written out again on LeNet, atol=1e-5
    (networks/test_cross_stitch.py::test_the_data_flow_on_lenet_is_that_of_equation_1).
    """

    Options = CrossStitchOptions
    paper = "Misra et al., Cross-stitch Networks for Multi-task Learning, CVPR 2016"
    title = "Cross-stitch"
    bibtex = """@inproceedings{misra2016cross,
      title = {Cross-stitch Networks for Multi-task Learning},
      author = {Misra, Ishan and Shrivastava, Abhinav and Gupta, Abhinav and Hebert, Martial},
      booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2016},
    }"""
    per_task = frozenset({"branches"})
    conformance = Conformance(grows=frozenset({"backbones", "units"}))
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: CrossStitchOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        backbones = [setup.build_backbone() for _ in setup.tasks]
        heads = [
            setup.head(backbone, task.kind.output_size, f"branch/{task.name}")
            for backbone, task in zip(backbones, setup.tasks, strict=True)
        ]
        self.backbones = nn.ModuleList(backbones)
        names, shapes = list(backbones[0].stages), backbones[0].shapes
        widths = {name: shape.post[0] for name, shape in zip(names, shapes, strict=True)} | {
            NECK: backbones[0].features
        }
        self.units = nn.ParameterDict({name: nn.Parameter(self.initial(width)) for name, width in widths.items()})
        self.branches = nn.ModuleList(heads)

    def initial(self, width: int) -> Tensor:
        """Return the initial unit of a layer of `width` channels."""
        count = len(self.tasks)
        mixing = torch.full((count, count), 0.1 / max(count - 1, 1)).fill_diagonal_(0.9 if count > 1 else 1.0)
        return mixing[:, :, None].repeat(1, 1, width if self.options.units == "channel" else 1)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return [branch(z) for branch, z in zip(self.branches, self.represent(inputs), strict=True)]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return cast(Tensor, self.branches[index](self.represent(inputs)[index]))

    def represent(self, inputs: Inputs) -> Sequence[Tensor]:
        """Return the mixed representation z_t of every task (B, features)."""
        backbones, images = [cast(Backbone, backbone) for backbone in self.backbones], cast(Tensor, inputs)
        if len(backbones) <= FEW and can_stack(backbones):
            return walk_stacked(backbones, images, self.mix_stacked)
        maps = [images] * len(backbones)
        for name in backbones[0].stages:
            maps = self.mix(name, [backbone.stages[name](x) for backbone, x in zip(backbones, maps, strict=True)])
        return self.mix(NECK, [backbone.neck(x) for backbone, x in zip(backbones, maps, strict=True)])

    def mix(self, name: str, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the T backbones' activations (B, C, ...), mixed by the unit of that name."""
        unit, count = self.units[name], len(maps)
        if is_plain() or count > FEW:
            return list(torch.einsum("ijc,jbc...->ibc...", unit, torch.stack(list(maps))).unbind(0))
        factors = unit.view(*unit.shape, *[1] * (maps[0].dim() - 2))
        return [_combined(row, maps) for row in factors]

    def mix_stacked(self, name: str, maps: Tensor) -> Tensor:
        """Return the T backbones' activations, (B, T C, H, W), or (T, B, C) at the neck, mixed by the named unit."""
        unit, count = self.units[name], len(self.tasks)
        if name == NECK:
            return torch.einsum("ijc,jbc->ibc", unit, maps)
        channels = maps.shape[1] // count
        # A convolution of 1 x 1: from channel c of backbone j to channel c of backbone i the weight is A_ij[c].
        blocks = torch.diag_embed(unit.expand(count, count, channels)).transpose(1, 2)
        return nn.functional.conv2d(maps, blocks.reshape(count * channels, count * channels, 1, 1))

    def last_shared_layer(self) -> nn.Parameter:
        """Return the unit of the last stage: every task affects all of its entries, and it treats the tasks alike.

        A backbone's neck would not: its own task affects it nine times as strongly as the others together.
        """
        backbone = cast(Backbone, self.backbones[0])
        return cast(nn.Parameter, self.units[list(backbone.stages)[-1]])

    def lr_factors(self) -> Mapping[str, float]:
        return {"units": self.options.unit_lr}


def _combined(factors: Tensor, maps: Sequence[Tensor]) -> Tensor:
    """Return the sum of maps times their factors."""
    total = factors[0] * maps[0]
    for factor, each in zip(factors[1:], maps[1:], strict=True):
        total = torch.addcmul(total, factor, each)
    return total
