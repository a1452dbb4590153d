"""Runs of one seed on two datasets: what they have in common, so that they can be compared in pairs.

A seed fixes the initial backbone, and the other modules that tasks share, by their names and shapes, and the order of
the data by the number of examples. Where two datasets have images of one shape, one backbone and equally many examples,
as a dataset and some of its tasks have, runs of one seed begin alike and see the same examples in the same order. They
differ in the tasks, and in which of them is drawn for an image where one is.
"""

from pathlib import Path

from mtbench.contract import Dataset
from mtbench.plan.parse import parse_dataset, parse_method

__all__ = ["unlike_starts"]


def unlike_starts(method: str, first: str, second: str) -> str:
    """Return why runs of a method of one seed do not begin alike on two datasets, in words; empty if they do.

    How many examples there are is not compared: files alone tell it.

    Args:
        method, first, second: a method and datasets, as on the command line.

    Raises:
        UsageError, PluginError: one of them does not exist.
    """
    one, other = (parse_dataset(name) for name in (first, second))
    chosen = parse_method(method)
    shapes = [_shape(choice.open(Path())) for choice in (one, other)]
    backbones = [str(chosen.on(choice.dataset_class.default_backbone).choice) for choice in (one, other)]
    for what, (left, right) in (("inputs of", shapes), ("backbones", backbones)):
        if left != right:
            return f"{what} {left} and {right}"
    return ""


def _shape(dataset: Dataset) -> str:
    return "x".join(map(str, dataset.input_shape))
