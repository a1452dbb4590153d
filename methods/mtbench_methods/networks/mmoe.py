"""MMoE: experts that all tasks share, mixed for each task by its own gate."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Backbone, Conformance, Inputs, Setup, option

__all__ = ["Mmoe"]


@dataclass(frozen=True, kw_only=True)
class MmoeOptions:
    experts: int = option(0, "how many experts; 0 is as many as there are tasks", low=0, search=("2", "4", "8"))


class Mmoe(AllTasksNetwork):
    """MMoE (Ma et al. 2018): experts shared by all tasks, which each task mixes by its own gate.

    With s the first stage of the backbone, f_e the e-th of E experts, G the mean over places::

        h = s(x)                                  (B, C, H, W), shared
        g_t = softmax(W_t G(h) + b_t)             (B, E)
        z_t = sum_e g_te f_e(h)                   (B, features)
        y_t = branch_t(z_t)

    Chosen here: where the paper has perceptrons on a table's row, an expert is the backbone after its first stage, and
    the input of a gate is the mean of the first stage's output, with a bias (the paper: the input, without bias). The
    first stage and the first expert are the seed's backbone, so that one expert is `branches`; the other experts have
    initial weights of their own, since experts with equal weights would differ only by their gates (as they do if the
    backbone starts from a file of weights).

    Experts belong to no task, although by default their number grows with the tasks.

    Compared with: the data flow written out again on LeNet, atol=1e-5
    (networks/test_mmoe.py::test_the_data_flow_on_lenet_is_a_softmax_over_the_means_of_the_first_stage).
    """

    Options = MmoeOptions
    paper = "Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, KDD 2018"
    title = "MMoE"
    bibtex = """@inproceedings{ma2018modeling,
      title = {Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts},
      author = {Ma, Jiaqi and Zhao, Zhe and Yi, Xinyang and Chen, Jilin and Hong, Lichan and Chi, Ed H.},
      booktitle = {ACM SIGKDD International Conference on Knowledge Discovery and Data Mining (KDD)},
      year = {2018},
    }"""
    per_task = frozenset({"gates", "branches"})
    conformance = Conformance(grows=frozenset({"experts"}))
    last_shared_part = "first_stage"  # each task reaches it in full, and an expert only through its gate
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: MmoeOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        count = options.experts or len(setup.tasks)
        backbones = [setup.build_backbone()]
        for number in range(1, count):
            with setup.initialized(f"expert/{number}"):
                backbones.append(setup.backbone_class(setup.backbone_options, setup.input_shape))  # type: ignore[call-arg]
        self.first_stage = backbones[0].levels()[0]
        self.experts = nn.ModuleList([after_the_first_stage(backbone) for backbone in backbones])
        self.gates = nn.ModuleList()
        for task in setup.tasks:
            with setup.initialized(f"gate/{task.name}"):
                self.gates.append(nn.Linear(backbones[0].shapes[0].post[0], count))
        heads = [setup.head(backbones[0], task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        seen, answers = self.consult(inputs)
        return [self.decide(seen, answers, index) for index in range(len(self.tasks))]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.decide(*self.consult(inputs), index)

    def consult(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the input of the gates (B, C), and the experts' outputs (B, E, features)."""
        maps = self.first_stage(inputs)
        return maps.mean((2, 3)), torch.stack([expert(maps) for expert in self.experts], dim=1)

    def gate(self, seen: Tensor, index: int) -> Tensor:
        """Return the weight of each expert for a task, (B, E): rows on the simplex."""
        return cast(Tensor, self.gates[index](seen).softmax(1))

    def decide(self, seen: Tensor, answers: Tensor, index: int) -> Tensor:
        """Return one task's output, from the result of `consult`."""
        z = torch.einsum("be,be...->b...", self.gate(seen, index), answers)
        return cast(Tensor, self.branches[index](z))


def after_the_first_stage(backbone: Backbone) -> nn.Sequential:
    """Return the rest of a backbone: from its first stage's output to z."""
    return nn.Sequential(*backbone.levels()[1:], backbone.neck)
