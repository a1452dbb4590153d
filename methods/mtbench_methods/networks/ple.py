"""PLE: levels of shared and task-specific experts, mixed by gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Backbone, Conformance, Inputs, Setup, option

__all__ = ["Ple"]


@dataclass(frozen=True, kw_only=True)
class PleOptions:
    specific: int = option(1, "number of specific experts of each task, per level", low=0, search=("1", "2"))
    shared: int = option(1, "number of shared experts, per level", low=1, search=("1", "2", "4"))
    levels: int = option(
        2,
        "number of levels; at most one per stage after the first, and one for the neck",
        low=1,
        search=("1", "2"),
    )


class Ple(AllTasksNetwork):
    """PLE (Tang et al. 2020): levels of experts, some shared and some of a task, mixed by gates after each level.

    With s the first stage of the backbone, G the mean over places, f_te^l the experts of task t in level l, f_e^l the
    shared ones, and h_t^0 = h^0 = s(x)::

        h_t^l = sum_e g_e f_te^l(h_t^l-1) + sum_e g_e f_e^l(h^l-1)            g = softmax(W_t^l G(h_t^l-1) + b_t^l)
        h^l = sum_ie g_ie f_ie^l(h_i^l-1) + sum_e g_e f_e^l(h^l-1)            g = softmax(W^l G(h^l-1) + b^l)
        y_t = branch_t(h_t^L)                                                 h_t^L (B, features)

    The last level has no h^L. One level is the paper's CGC; without specific experts that is `mmoe`, and with one
    expert `branches`.

    Below the last level all tasks reach the specific experts, through h: these are shared parameters, on which
    balancers work, although they grow with the tasks. So are a task's gates below the last level but one.
    Task-specific are the specific experts of the last level, the task's gates of the last two, and its branch.

    Chosen here: where the paper has perceptrons on a table's row, the parts of the backbone after its first stage are
    the levels: its stages in order, and its neck if that has parameters, are split into `levels` runs as equal as
    possible, of which the later are longer. An expert is one such backbone, cut into levels. LeNet has a level for
    conv2 and one for the neck; LibMTL's network has one for each stage. The input of a gate is the mean over places,
    with a bias (the paper: the input, without bias). The first stage and the first shared expert are the seed's
    backbone; all other experts have initial weights of their own, as in `mmoe`. LibMTL has no h: it sends the input of
    each task through the shared experts, and ends the first stage in a gate too.

    Compared with: the data flow written out again on LeNet, atol=1e-5
    (networks/test_ple.py::test_the_data_flow_on_lenet_is_the_one_stated); `mmoe`, exactly
    (networks/test_ple.py::test_one_level_without_specific_experts_is_mmoe).
    """

    Options = PleOptions
    paper = "Tang et al., Progressive Layered Extraction (PLE): A Novel Multi-Task Learning Model, RecSys 2020"
    title = "PLE"
    bibtex = """@inproceedings{tang2020progressive,
      title = {Progressive Layered Extraction ({PLE}): A Novel Multi-Task Learning ({MTL}) Model for Personalized
        Recommendations},
      author = {Tang, Hongyan and Liu, Junning and Zhao, Ming and Gong, Xudong},
      booktitle = {ACM Conference on Recommender Systems (RecSys)},
      year = {2020},
    }"""
    per_task = frozenset({"own_experts", "gates", "branches"})
    conformance = Conformance(grows=frozenset({"lower_experts", "lower_gates", "shared_gates"}))
    last_shared_part = "first_stage"  # each task reaches it in full, and an expert only through gates
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: PleOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        first = setup.build_backbone()
        parts = after_the_first_stage(first, options.levels)
        widths = [first.shapes[stage].post[0] for stage in accumulate(map(len, parts[:-1]), initial=0)]
        self.top = len(parts) - 1
        self.first_stage = first.levels()[0]
        shared = [parts, *(self.expert(setup, str(number)) for number in range(1, options.shared))]
        specific = [
            [self.expert(setup, f"{task.name}/{number}") for number in range(options.specific)] for task in setup.tasks
        ]
        self.shared_experts = nn.ModuleList([nn.ModuleList(level) for level in zip(*shared, strict=True)])
        levels = [
            nn.ModuleList([nn.ModuleList([each[level] for each in own]) for own in specific])
            for level in range(len(parts))
        ]
        self.lower_experts, self.own_experts = nn.ModuleList(levels[:-1]), levels[-1]
        self.lower_gates, self.gates, self.shared_gates = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for task in setup.tasks:
            with setup.initialized(f"gate/{task.name}"):
                gates = [nn.Linear(width, options.specific + options.shared) for width in widths]
            self.lower_gates.append(nn.ModuleList(gates[:-2]))
            self.gates.append(nn.ModuleList(gates[-2:]))
        for level, width in enumerate(widths[:-1]):
            with setup.initialized(f"shared_gate/{level}"):
                self.shared_gates.append(nn.Linear(width, len(setup.tasks) * options.specific + options.shared))
        heads = [setup.head(first, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = nn.ModuleList(heads)

    def expert(self, setup: Setup, name: str) -> list[nn.Sequential]:
        """Return a fresh expert, one part for each level, with the initial weights that belong to the name."""
        with setup.initialized(f"expert/{name}"):
            backbone = setup.backbone_class(setup.backbone_options, setup.input_shape)  # type: ignore[call-arg]
        return after_the_first_stage(backbone, self.options.levels)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        tasks = range(len(self.tasks))
        maps, answers = self.extract(inputs, tasks)
        return [self.decide(maps[index], answers, index) for index in tasks]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        maps, answers = self.extract(inputs, [index])
        return self.decide(maps[index], answers, index)

    def extract(self, inputs: Inputs, tasks: Sequence[int]) -> tuple[dict[int, Tensor], list[Tensor]]:
        """Return the inputs of the last level for some tasks, by index, and the outputs of its shared experts."""
        shared = self.first_stage(inputs)
        maps = dict.fromkeys(range(len(self.tasks)), shared)
        levels = zip(self.shared_experts, self.lower_experts, self.shared_gates, strict=False)
        for level, (common, specific, gate) in enumerate(levels):
            answers = [expert(shared) for expert in members(common)]
            own = [[expert(maps[index]) for expert in members(each)] for index, each in enumerate(members(specific))]
            shared = mixed(gate, shared, [*chain(*own), *answers])
            asked = tasks if level == self.top - 1 else range(len(self.tasks))
            maps = {index: mixed(self.gate(index, level), maps[index], own[index] + answers) for index in asked}
        return maps, [expert(shared) for expert in members(self.shared_experts[self.top])]

    def gate(self, index: int, level: int) -> nn.Module:
        """Return the gate of a task in a level, counted from 0."""
        return [*members(self.lower_gates[index]), *members(self.gates[index])][level]

    def decide(self, maps: Tensor, answers: list[Tensor], index: int) -> Tensor:
        """Return one task's output, from the result of `extract`."""
        own = [expert(maps) for expert in members(self.own_experts[index])]
        return cast(Tensor, self.branches[index](mixed(self.gate(index, self.top), maps, own + answers)))


def members(modules: nn.Module) -> list[nn.Module]:
    """Return the modules of a `ModuleList`."""
    return list(cast(nn.ModuleList, modules))


def mixed(gate: nn.Module, seen: Tensor, answers: Sequence[Tensor]) -> Tensor:
    """Return the sum of E answers (B, ...), weighted by the gate's softmax over the means of what it sees.

    Args:
        gate: the module from (B, C) to (B, E).
        seen: (B, C, H, W).
        answers: the outputs of experts.
    """
    weights = gate(seen.mean((2, 3))).softmax(1)
    return torch.einsum("be,be...->b...", weights, torch.stack(list(answers), dim=1))


def after_the_first_stage(backbone: Backbone, levels: int) -> list[nn.Sequential]:
    """Return the rest of a backbone, from its first stage's output to z, in at most that many parts."""
    layers: list[nn.Module] = list(backbone.levels()[1:])
    if layers and not any(True for _ in backbone.neck.parameters()):
        layers[-1] = nn.Sequential(layers[-1], backbone.neck)
    else:
        layers.append(backbone.neck)
    count = min(levels, len(layers))
    ends = [len(layers) * number // count for number in range(count + 1)]
    return [nn.Sequential(*layers[start:end]) for start, end in pairwise(ends)]
