"""Task selectivity: the amount of information on other tasks in the features that a network computes for one.

The definition is this project's own; the paper that announces a measure of task specificity (Levi & Ullman, arXiv
2002.03335) does not give it. The network is frozen. With the network asked for task i, the features of every image are
read at two depths: the representation, the input of the head, and the last hidden layer, the input of the head's last
layer (at the representation alone, branches would have a selectivity of 0 by construction). For every task j a fresh
probe is trained on them, whose accuracy on the test images is A_ij; ch_j is the accuracy of the most frequent class in
training. Then ::

    S = 1 - mean over i != j of  max(0, A_ij - ch_j) / max(eps, A_jj - ch_j)

is 1 if nothing about other tasks can be decoded, and 0 if they are as decodable as in their own features.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.contract import Classification, Network, Split, Task
from mtbench.store.record.diagnosis import Matrix, Probed, Selectivity
from mtbench.train.diagnostics.features import Features, find_head, gather
from mtbench.train.diagnostics.probes import Labels, probe

__all__ = ["EPSILON", "measure_selectivity", "selectivity"]

EPSILON = 1.0
"""Smallest advantage of the probe of the same task, in percentage points: below it the task was not learned."""


def measure_selectivity(network: Network, train: Split, test: Split, *, batch: int, seed: int) -> Selectivity | None:
    """Return the selectivity of a trained network, and the accuracy of its own answers under wrong cues.

    Nothing is drawn from torch's own random state, and the network does not change.

    Args:
        train: the training split of the probes: the images that the network was trained on.
        test: the split that the probes are tested on.
        batch: examples per step of the probes.
        seed: the seed of the run.

    Returns:
        None if a task is no classification of single inputs, or if an answer comes from no linear layer.
    """
    labels, truth = _labels(network.tasks, train), _labels(network.tasks, test)
    if labels is None or truth is None:
        return None
    heads = [find_head(network, test, index) for index in range(len(network.tasks))]
    wrong_cue: list[tuple[float, ...]] = []
    accuracies: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for index, head in enumerate(heads):
        if head is None:
            return None
        seen, shown = gather(network, train, index, head), gather(network, test, index, head)
        wrong_cue.append(_own_answers(shown, truth, index))
        for depth in head.depths:
            purpose = f"{depth}/{index}"
            found = probe(
                seen.by_depth[depth],
                labels,
                shown.by_depth[depth],
                truth,
                hidden=head.hidden,
                batch=batch,
                seed=seed,
                purpose=purpose,
            )
            for kind, row in found.items():
                accuracies.setdefault((depth, kind), []).append(tuple(row))
    chance = _chance(labels, truth)
    probes: dict[str, dict[str, Probed]] = {}
    for (depth, kind), rows in accuracies.items():
        if len(rows) == len(heads):  # else some heads are a single layer
            probed = Probed(accuracy=tuple(rows), selectivity=selectivity(tuple(rows), chance))
            probes.setdefault(depth, {})[kind] = probed
    return Selectivity(chance=chance, wrong_cue=tuple(wrong_cue), probes=probes)


def selectivity(accuracy: Matrix, chance: Sequence[float]) -> float:
    """Return S as defined above.

    Args:
        accuracy: A, in %.
        chance: ch, in %.

    Returns:
        a number up to 1, negative if other tasks are easier to decode than in their own features; NaN for one task, or
        if an entry is NaN.
    """
    tasks = range(len(chance))
    ratios = [
        _above(accuracy[i][j] - chance[j], 0.0) / _above(accuracy[j][j] - chance[j], EPSILON)
        for i in tasks
        for j in tasks
        if i != j
    ]
    return 1 - sum(ratios) / len(ratios) if ratios else math.nan


def _above(value: float, least: float) -> float:
    return value if math.isnan(value) else max(least, value)


def _labels(tasks: Sequence[Task], split: Split) -> Labels | None:
    kinds = [task.kind for task in tasks]
    if split.members is not None and split.members.shape[1] > 1:
        return None
    if not all(isinstance(kind, Classification) for kind in kinds):
        return None
    rows = [target.where(defined, -1) for target, defined in zip(split.targets, split.defined.unbind(1), strict=True)]
    return Labels(values=torch.stack(rows), classes=tuple(kind.output_size for kind in kinds))


def _own_answers(shown: Features, truth: Labels, index: int) -> tuple[float, ...]:
    """Return the accuracy in % of the answers under one cue, by the labels of every task with as many classes.

    NaN for the other tasks.
    """
    return tuple(
        _accuracy(shown.classes, values) if classes == truth.classes[index] else math.nan
        for values, classes in zip(truth.values, truth.classes, strict=True)
    )


def _chance(labels: Labels, truth: Labels) -> tuple[float, ...]:
    """Return the accuracy in % of the most frequent class in training, by task."""
    found = []
    for known, values in zip(labels.values, truth.values, strict=True):
        counts = torch.bincount(known[known >= 0], minlength=1)
        found.append(_accuracy(counts.argmax().expand(len(values)), values))
    return tuple(found)


def _accuracy(classes: Tensor, values: Tensor) -> float:
    count = int((values >= 0).sum())
    return 100 * int((classes == values).sum()) / count if count else math.nan
