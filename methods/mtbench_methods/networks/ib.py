"""Independent branches: one network, and a linear embedding of its representation for each task."""

import dataclasses
from dataclasses import dataclass

from mtbench.contract import Retrieval, Setup, option

from .branches import Branches
from .embedding import with_kinds

__all__ = ["IndependentBranches"]


@dataclass(frozen=True, kw_only=True)
class IndependentBranchesOptions:
    size: int = option(256, "numbers of each task's embedding; the paper has 256 and 25", low=1)


class IndependentBranches(Branches):
    """Independent branches, IB (Zhao et al. 2018): a head per task on one shared representation.

    ::

        y_t = B_t z        (B, size), B_t in R^(size x features) without a bias, on the backbone of that paper

    With the size of the tasks, 256, it is the network `branches`.

    Chosen here: nothing in the network itself; the choices are those of the backbone `retrieval`.

    Compared with: the paper's number of weights for 20 tasks, exactly
    (networks/test_embeddings.py::test_the_counts_are_the_papers_for_twenty_tasks).
    """

    Options = IndependentBranchesOptions
    kinds = (Retrieval,)
    paper = "Zhao et al., A Modulation Module for Multi-task Learning with Applications in Image Retrieval, ECCV 2018"
    title = "IB"
    bibtex = """@inproceedings{zhao2018modulation,
      title = {A Modulation Module for Multi-task Learning with Applications in Image Retrieval},
      author = {Zhao, Xiangyun and Li, Haoxiang and Shen, Xiaohui and Liang, Xiaodan and Wu, Ying},
      booktitle = {European Conference on Computer Vision (ECCV)},
      year = {2018},
    }"""

    def __init__(self, options: IndependentBranchesOptions, setup: Setup) -> None:
        super().__init__(options, dataclasses.replace(setup, tasks=with_kinds(setup.tasks, size=options.size)))
