"""Task routing: each task uses its own random subset of units, drawn once."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from mtbench.contract import NECK, Inputs, OneTaskNetwork, Setup, option

from .rows import RowBranches, RowsByTask, per_channel

__all__ = ["TaskRouting"]


@dataclass(frozen=True, kw_only=True)
class TaskRoutingOptions:
    drop_ratio: float = option(
        0.5, "the part of each layer's units that is switched off for a task", low=0, high=1, search=(0.1, 0.9)
    )


class TaskRouting(OneTaskNetwork):
    """Task routing (Strezoski et al. 2019): fixed random binary masks choose the units that each task uses.

    For the requested task t, every stage's map x (B, C, H, W) before its last nonlinearity, and z, become::

        x'[c] = m_t[c] x[c]          m_t in {0, 1}^C, int(C drop_ratio) entries 0, drawn per layer and task
        y = branch_t(z')

    Masks are never trained. The paper's sigma, a ratio of sharing, is `drop_ratio` in its released code: the part that
    is switched off, 0.5.

    Chosen here: at least one unit stays; the gradient passes through the mask too (the code masks values alone); a
    stage of several convolutions is masked once, at its end; one task is drawn per image (the paper: per step).

    Compared with: LeNet without the units that are switched off, atol=1e-6
    (networks/test_routing.py::test_a_task_sees_lenet_without_the_units_that_its_masks_switch_off).
    """

    Options = TaskRoutingOptions
    paper = "Strezoski et al., Many Task Learning With Task Routing, ICCV 2019"
    title = "Task routing"
    bibtex = """@inproceedings{strezoski2019many,
      title = {Many Task Learning With Task Routing},
      author = {Strezoski, Gjorgji and van Noord, Nanne and Worring, Marcel},
      booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
      year = {2019},
    }"""
    per_task = frozenset({"branches"})
    needs_stages = True
    layouts = frozenset({"vector", "map"})
    masks: Tensor

    def __init__(self, options: TaskRoutingOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = RowBranches(heads, self.widest)
        shapes = zip(self.backbone.stages, self.backbone.shapes, strict=True)
        self.widths = {name: shape.pre[0] for name, shape in shapes} | {NECK: self.backbone.features}
        with setup.initialized("masks"):
            masks = [torch.stack([self.draw(width) for _ in setup.tasks]) for width in self.widths.values()]
        self.register_buffer("masks", torch.cat(masks, dim=1))  # (T, the channels of all layers side by side)

    def draw(self, width: int) -> Tensor:
        """Return the mask of one layer for one task, (width,)."""
        dropped = min(int(width * self.options.drop_ratio), width - 1)
        return (torch.randperm(width) >= dropped).float()

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        parts = torch.split(self.masks[task], list(self.widths.values()), dim=1)
        masks = dict(zip(self.widths, parts, strict=True))
        z = self.backbone.walk(cast(Tensor, inputs), lambda name, maps: maps * per_channel(masks[name], maps))
        return cast(Tensor, self.branches(z, RowsByTask(task, len(self.tasks))))
