"""Fully shared network: one embedding for all tasks."""

from typing import Any

from torch import Tensor

from mtbench.contract import Conformance, Inputs, Retrieval, Setup, SharedRepresentation
from mtbench.errors import UsageError

__all__ = ["FullyShared"]


class FullyShared(SharedRepresentation):
    """Fully shared network, FSN (Zhao et al. 2018): one network gives one embedding, trained by all tasks' triplets.

    ::

        y_t = f(x)        (B, size), the same for every task t

    It does not depend on the task, so that its accuracy has an upper bound: images that are alike for one task differ
    for another. `mtbench.contract.tasks.kinds.ceiling` computes the bound from labels.

    Chosen here: nothing in the network itself; the choices are those of the backbone `retrieval`.

    Compared with: the paper's number of weights for 20 tasks, exactly
    (networks/test_embeddings.py::test_the_counts_are_the_papers_for_twenty_tasks).
    """

    kinds = (Retrieval,)
    conformance = Conformance(learns_to=70)
    paper = "Zhao et al., A Modulation Module for Multi-task Learning with Applications in Image Retrieval, ECCV 2018"
    title = "FSN"
    bibtex = """@inproceedings{zhao2018modulation,
      title = {A Modulation Module for Multi-task Learning with Applications in Image Retrieval},
      author = {Zhao, Xiangyun and Li, Haoxiang and Shen, Xiaohui and Liang, Xiaodan and Wu, Ying},
      booktitle = {European Conference on Computer Vision (ECCV)},
      year = {2018},
    }"""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        sizes = sorted({task.kind.output_size for task in setup.tasks})
        if len(sizes) > 1:
            raise UsageError(
                f"method 'fsn' gives all tasks one embedding, and theirs have sizes {', '.join(map(str, sizes))}."
            )
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, sizes[0], "branch")

    def encode(self, inputs: Inputs) -> Tensor:
        return self.branch(self.backbone(inputs))  # type: ignore[no-any-return]

    def decode(self, z: Tensor) -> list[Tensor]:
        return [z] * len(self.tasks)
