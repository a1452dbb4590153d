"""A suite: runs that belong together, with a name, the paper's numbers beside them, and claims to be judged.

A suite is a TOML file; what a key means is said at the field of the same name below::

    title = "Two digits"
    source = "Levi and Ullman (2020), Table 1"

    [protocol]                      # a protocol of the datasets, and its numbers that are to differ
    base = "paper"
    seeds = 5

    [[grid]]                        # which runs
    datasets = ["mmnist2"]
    methods = ["single", "uniform", "td"]
    vary = { lr = [3e-4, 1e-3] }    # one number of the protocol, over which figures are drawn

    [[counted]]                     # which networks are too large to train, and only counted
    datasets = ["mmnist9"]
    methods = ["uniform"]

    [[paper]]                       # what was published
    dataset = "mmnist2"
    columns = ["LU", "RL"]
    n = 5
    [paper.rows]
    td = [[97.16, 0.05], [96.19, 0.14]]

    [[relation]]                    # likewise, of pairs of tasks
    dataset = "mmnist2"
    quantity = "compliance"
    pairs = ["LU/RL"]
    [relation.rows]
    uniform = [51.5]

    [[claim]]                       # what is to be judged
    dataset = "mmnist2"
    contrast = ["td", "single"]
    direction = "better"

    [[claim]]                       # likewise, across datasets: of a task that both have
    datasets = ["mmnist3", "mmnist2"]
    task = "LU"
    method = "td"
"""

from mtbench.plan.suite.claim import AcrossClaim, Claim, claim_class
from mtbench.plan.suite.parts import Counted, Grid, Search
from mtbench.plan.suite.published import MEAN, PaperTable, Relation
from mtbench.plan.suite.settings import SIZE, Setting, rendered
from mtbench.plan.suite.suite import Suite

__all__ = [
    "MEAN",
    "SIZE",
    "AcrossClaim",
    "Claim",
    "Counted",
    "Grid",
    "PaperTable",
    "Relation",
    "Search",
    "Setting",
    "Suite",
    "claim_class",
    "rendered",
]
