"""A suite: runs that belong together, with a name, the paper's numbers beside them, and claims to be tested.

A suite is a TOML file; the field of the same name below documents each key::

    title = "Two digits"
    source = "Levi and Ullman (2020), Table 1"
    ranks = "unpaired"              # intervals of ranks without blocks of seeds
    judges = "default"              # runs of the grid; "tuned": those with the settings that searches chose

    [protocol]                      # a training protocol of the datasets, and its settings that differ
    base = "paper"
    seeds = 5

    [[grid]]                        # the runs
    datasets = ["mmnist2"]
    methods = ["single", "uniform", "td"]    # "branches+fixed:from=NAME": task weights from other runs
    vary = { lr = [3e-4, 1e-3] }    # one setting of the training protocol, over which figures are drawn

    [[search]]                      # settings that are chosen on the validation split, before runs with them
    datasets = ["mmnist2"]
    methods = ["single", "td"]
    space = { lr = "1e-4..1e-2:log" }
    trials = 20

    [[counted]]                     # networks that are too large to train, and only counted
    datasets = ["mmnist9"]
    methods = ["uniform"]

    [[paper]]                       # the published numbers
    dataset = "mmnist2"
    columns = ["LU", "RL"]
    n = 5
    [paper.rows]
    td = [[97.16, 0.05], [96.19, 0.14]]

    [[relation]]                    # published numbers of pairs of tasks
    dataset = "mmnist2"
    quantity = "compliance"
    pairs = ["LU/RL"]
    [relation.rows]
    uniform = [51.5]

    [[claim]]                       # a claim to be tested
    dataset = "mmnist2"
    contrast = ["td", "single"]
    direction = "better"

    [[claim]]                       # a claim across datasets: about a task that both have
    datasets = ["mmnist3", "mmnist2"]
    task = "LU"
    method = "td"

    [[claim]]                       # a claim across settings: about a method on one dataset under two of them
    dataset = "mmnist2"
    settings = [{ lr = 3e-4 }, { lr = 1e-3 }]
    method = "td"
"""

from mtbench.plan.suite.claims.claim import AcrossClaim, AnyClaim, Claim, SettingsClaim, claim_class
from mtbench.plan.suite.parts import Counted, Grid, Search
from mtbench.plan.suite.published import MEAN, PaperTable, Relation
from mtbench.plan.suite.settings import SIZE, Setting, rendered
from mtbench.plan.suite.suite import Suite

__all__ = [
    "MEAN",
    "SIZE",
    "AcrossClaim",
    "AnyClaim",
    "Claim",
    "Counted",
    "Grid",
    "PaperTable",
    "Relation",
    "Search",
    "Setting",
    "SettingsClaim",
    "Suite",
    "claim_class",
    "rendered",
]
