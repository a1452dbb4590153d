"""Distances of the vectors by which tasks modulate a network that they share."""

from collections.abc import Mapping
from itertools import combinations

import torch

from mtbench.contract import Network
from mtbench.store.record import DISTANCE, Measurement

__all__ = ["MOST", "distances"]

MOST = 40
"""Largest number of tasks; more tasks have thousands of pairs."""


def distances(network: Network) -> Mapping[str, Measurement]:
    """Return, under `DISTANCE` and the names of two tasks, the mean absolute difference of their vectors.

    The vector of a task is the concatenation of its parts of the parameters of `Network.modulated_by`. Zhao et al.
    (2018) give the mean of an "element-wise difference", and state neither the layers nor the sign; chosen here: the
    absolute difference, over all. Empty if a network has no such part, or more than `MOST` tasks.
    """
    part, names = network.modulated_by, [task.name for task in network.tasks]
    if not part or len(names) > MOST:
        return {}
    with torch.no_grad():
        parameters = [value for name, value in network.named_parameters() if name.partition(".")[0] == part]
        if not parameters:
            return {}
        vectors = torch.cat([value.flatten(1) for value in parameters], dim=1).double()  # (T, all)
        return {
            f"{DISTANCE}{names[i]}/{names[j]}": Measurement(value=float((vectors[i] - vectors[j]).abs().mean()))
            for i, j in combinations(range(len(names)), 2)
        }
