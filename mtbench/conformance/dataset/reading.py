"""The splits of a dataset, and comparisons of their contents."""

import torch
from torch import Tensor

from mtbench.contract import Dataset, Split

__all__ = ["alike", "all_splits"]


def all_splits(dataset: Dataset) -> list[tuple[str, Split]]:
    names = {"train": False, "test": False, "train without val": True, "val": True}
    return [(name, dataset.load(name.partition(" ")[0], validation=held)) for name, held in names.items()]


def alike(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.nan_to_num(), second.nan_to_num())
