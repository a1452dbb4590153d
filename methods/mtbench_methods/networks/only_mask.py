"""Only masks: independent branches are trained, then the backbone is frozen and modulated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from mtbench.contract import Inputs, Retrieval, Setup, Task, option

from .chmod import ChannelModulation, ChannelModulationOptions
from .rows import RowBranches, RowsByTask

__all__ = ["OnlyMask"]


@dataclass(frozen=True, kw_only=True)
class OnlyMaskOptions:
    first: int = option(1, "the first conv map that is modulated, counted from 1; 4 is the paper's", low=1)


class OnlyMask(ChannelModulation):
    """Masks on a frozen network (Zhao et al. 2018, "only mask"), in two phases of as many epochs each.

    ::

        branches    y_t = B_t z                     the backbone and a head per task, as `ib` with the tasks' size
        masks       y_t = z of modulated maps       only the vectors of `chmod`; nothing else changes, also no
                                                    running statistics

    Tests after the first phase use the network with branches, which are not used after that.

    Chosen here: both phases have the same length. On a backbone whose representation is no embedding, the one head of
    `chmod` is trained with the vectors.

    Compared with: the parts that move in each phase, exactly
    (networks/test_embeddings.py::test_only_masks_trains_branches_first_and_then_nothing_but_the_vectors); the paper's
    number of weights for 20 tasks, exactly
    (networks/test_embeddings.py::test_the_counts_are_the_papers_for_twenty_tasks).
    """

    title = "Only mask"
    bibtex = """@inproceedings{zhao2018modulation,
      title = {A Modulation Module for Multi-task Learning with Applications in Image Retrieval},
      author = {Zhao, Xiangyun and Li, Haoxiang and Shen, Xiaohui and Liang, Xiaodan and Wu, Ying},
      booktitle = {European Conference on Computer Vision (ECCV)},
      year = {2018},
    }"""
    Options = OnlyMaskOptions  # type: ignore[assignment]
    kinds = (Retrieval,)
    per_task = frozenset({"modulation", "branches"})
    phases = {  # noqa: RUF012
        "branches": frozenset({"backbone", "branches"}),
        "masks": frozenset({"modulation", "branch"}),
    }

    def __init__(self, options: OnlyMaskOptions, setup: Setup) -> None:
        super().__init__(ChannelModulationOptions(first=options.first), setup)
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = RowBranches(heads, self.widest)
        self.register_buffer("is_modulated", torch.tensor(True))

    @classmethod
    def check(cls, options: Any, tasks: Sequence[Task]) -> None:
        """Check nothing: `first` is checked where the backbone is known."""

    def begin_phase(self, name: str) -> None:
        cast(Tensor, self.is_modulated).fill_(name == "masks")

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        if self.is_modulated:
            return super().forward(inputs, task)
        return cast(Tensor, self.branches(self.backbone(inputs), RowsByTask(task, len(self.tasks))))
