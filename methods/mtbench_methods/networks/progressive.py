"""Progressive networks: a column per task, which reads the columns before it."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Backbone, Batch, Inputs, Setup

__all__ = ["Progressive"]


class Progressive(AllTasksNetwork):
    """Progressive networks (Rusu et al. 2016): a column per task, which reads the columns of the tasks before it.

    Column k is a backbone and a branch. With h_i^k (B, C, H, W) the output of its stage i, f_i+1 its next stage or,
    after the last, its neck::

        h_i+1^k = f_i+1(h_i^k + sum_{j<k} U_i^kj stopgrad(h_i^j))          U a C x C matrix, the same at every place

    No gradient passes from a column to one before it: nothing is shared, and each column is trained as it would be
    alone, on losses that are added and not averaged. The first column is the first task's `single`.

    Chosen here: Eq. 1 has sigma(W h_i^k + sum U h_i^j). Here U is applied to the input of stage or neck, whose sizes
    agree on any backbone, so that the layer's own kernel comes after it: sigma(W (h_i^k + sum U h_i^j)). It is linear,
    not the adapter of Eq. 2. The first stage reads the image, which all columns have in common, and the branch only its
    own z. In the paper a column is trained, frozen, and read by the next; here all are trained together, as long as
    every other network, so that a column reads others that still change. All start from the seed's one backbone. The
    order is that of the dataset's tasks, and it matters.

    Compared with: the data flow written out again on LeNet, atol=1e-5
    (networks/test_progressive.py::test_the_data_flow_on_lenet_is_the_one_stated).
    """

    paper = "Rusu et al., Progressive Neural Networks, arXiv 1606.04671, 2016"
    title = "Progressive"
    bibtex = """@misc{rusu2016progressive,
      title = {Progressive Neural Networks},
      author = {Rusu, Andrei A. and Rabinowitz, Neil C. and Desjardins, Guillaume and Soyer, Hubert and Kirkpatrick,
        James and Kavukcuoglu, Koray and Pascanu, Razvan and Hadsell, Raia},
      eprint = {1606.04671},
      archiveprefix = {arXiv},
      year = {2016},
    }"""
    per_task = frozenset({"columns", "laterals", "branches"})
    shares_parameters = False
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        backbones = [setup.build_backbone() for _ in setup.tasks]
        heads = [
            setup.head(backbone, task.kind.output_size, f"branch/{task.name}")
            for backbone, task in zip(backbones, setup.tasks, strict=True)
        ]
        self.columns = nn.ModuleList(backbones)
        self.laterals = nn.ModuleList()  # per column and stage, U of all columns before it side by side
        widths = [shape.post[0] for shape in backbones[0].shapes]
        for number, task in enumerate(setup.tasks):
            with setup.initialized(f"laterals/{task.name}"):
                laterals = [nn.Conv2d(number * width, width, 1, bias=False) for width in widths] if number else []
            self.laterals.append(nn.ModuleList(laterals))
        self.branches = nn.ModuleList(heads)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        features = self.represent(cast(Tensor, inputs), len(self.tasks))
        return [branch(z) for branch, z in zip(self.branches, features, strict=True)]

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return cast(Tensor, self.branches[index](self.represent(cast(Tensor, inputs), index + 1)[index]))

    def represent(self, images: Tensor, count: int) -> list[Tensor]:
        """Return the representation z (B, features) of the first `count` columns."""
        seen: list[list[Tensor]] = [[] for _ in cast(Backbone, self.columns[0]).stages]  # per stage, of each column
        features = []
        for index in range(count):
            backbone, laterals = cast(Backbone, self.columns[index]), cast(nn.ModuleList, self.laterals[index])
            maps = images
            for number, (stage, before) in enumerate(zip(backbone.levels(), seen, strict=True)):
                own = stage(maps)
                maps = own + laterals[number](torch.cat(before, dim=1)) if before else own
                before.append(own.detach())
            features.append(backbone.neck(maps))
        return features

    def passes(self, batch: Batch) -> int:  # noqa: ARG002
        return len(self.tasks)

    def base_weights(self, counts: Tensor) -> Tensor:
        return (counts > 0).float()

    def clip_groups(self, *, shared: bool) -> list[list[nn.Parameter]]:
        """Return a group for each column, with its laterals from others."""
        parts = zip(self.columns, self.laterals, self.branches, strict=True)
        return [
            [*column.parameters(), *lateral.parameters(), *(() if shared else branch.parameters())]
            for column, lateral, branch in parts
        ]
