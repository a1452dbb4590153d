"""Runs of one seed on two datasets: the parts that they have in common, so that they can be compared in pairs.

A seed fixes the initial backbone, and the other modules that tasks share, by their names and shapes, and the order of
the data by the number of examples. If two datasets have images of one shape, one backbone and equally many examples, as
a dataset and a subset of its tasks have, runs of one seed start alike and use the same examples in the same order. They
differ in the tasks, and, if one task is drawn per image, in the drawn task.
"""

from pathlib import Path

from mtbench.contract import Dataset
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.plan.suite.stages.second_stage import bare

__all__ = ["EXAMPLES", "unlike_starts"]

EXAMPLES = ("images", "fraction", "validation")
"""Settings of the training protocol on which the training examples depend, and so their order."""


def unlike_starts(method: str, first: str, second: str) -> str:
    """Return the reason why runs of a method of one seed start differently on two datasets; empty if they do not.

    The number of examples is not compared: it is known only from files.

    Args:
        method, first, second: a method and two datasets, as on the command line or in the grid of a suite.

    Raises:
        UsageError, PluginError: one of them does not exist.
    """
    one, other = (parse_dataset(name) for name in (first, second))
    chosen = parse_method(bare(method))
    shapes = [_shape(choice.open(Path())) for choice in (one, other)]
    backbones = [str(chosen.on(choice.dataset_class.default_backbone).choice) for choice in (one, other)]
    for what, (left, right) in (("inputs of", shapes), ("backbones", backbones)):
        if left != right:
            return f"{what} {left} and {right}"
    return ""


def _shape(dataset: Dataset) -> str:
    return "x".join(map(str, dataset.input_shape))
