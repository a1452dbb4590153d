"""Aliases of compositions that papers gave a name."""

from mtbench.contract import Alias

__all__ = ["Itn", "Moo", "Uniform"]


class Uniform(Alias):
    """Uniform scaling: a branch per task, trained on the mean of the tasks' losses."""

    title = "Uniform"
    stands_for = "branches+uniform"


class Itn(Alias):
    """Independent task networks, ITN (Zhao et al. 2018): the same as single."""

    stands_for = "single+uniform"
    is_title = False
    paper = "Zhao et al., A Modulation Module for Multi-task Learning with Applications in Image Retrieval, ECCV 2018"
    title = "ITN"
    bibtex = """@inproceedings{zhao2018modulation,
      title = {A Modulation Module for Multi-task Learning with Applications in Image Retrieval},
      author = {Zhao, Xiangyun and Li, Haoxiang and Shen, Xiaohui and Liang, Xiaodan and Wu, Ying},
      booktitle = {European Conference on Computer Vision (ECCV)},
      year = {2018},
    }"""


class Moo(Alias):
    """Multi-objective optimization: a branch per task, balanced by MGDA-UB (Sener & Koltun 2018)."""

    stands_for = "branches+mgda-ub"
    paper = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"
    title = "MGDA-UB"
    bibtex = """@inproceedings{sener2018multi,
      title = {Multi-Task Learning as Multi-Objective Optimization},
      author = {Sener, Ozan and Koltun, Vladlen},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2018},
    }"""
