"""Results of a run's diagnostics in its record; rows and columns of matrices are in the order of the tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mtbench.store.record.sealed import Number

__all__ = ["Conflict", "Matrix", "Probed", "Selectivity"]

Matrix: TypeAlias = tuple[tuple[Number, ...], ...]
"""T rows of T numbers; NaN where nothing could be measured."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """The agreement of the gradients of tasks in the parameters that they share, over one epoch of training.

    The entry of two tasks compares their gradients on the same mini-batches. The entry of a task with itself, on the
    diagonal, is the null: it compares its gradients on the two halves of each mini-batch. All matrices are symmetric.

    Attributes:
        batches: number of mini-batches on which an entry was measured.
        ucr: update compliance ratio, % of these mini-batches with a positive inner product.
        cosine: the mean cosine of the angle between the two gradients, 0 if one of them is 0.
    """

    batches: tuple[tuple[int, ...], ...]
    ucr: Matrix
    cosine: Matrix


@dataclass(frozen=True, kw_only=True)
class Probed:
    """Results of fresh probes of the features at one depth of a network.

    Attributes:
        accuracy: % of the test examples, by the task that the network was asked for (row) and the task of the labels
            (column).
        selectivity: 1 if the features for a task contain nothing of the other tasks, 0 if they contain as much of them
            as the other tasks' own features; NaN for a single task.
    """

    accuracy: Matrix
    selectivity: Number


@dataclass(frozen=True, kw_only=True)
class Selectivity:
    """The extent to which the features for one task contain information on the others, after training.

    Attributes:
        chance: the accuracy in % on the test split of the most frequent class of training, by task.
        wrong_cue: the accuracy in % of the network's own answer, by the task that it was asked for (row) and the task
            of the labels (column); NaN if their numbers of classes differ.
        probes: results by depth, ``representation`` (input of the head) and ``hidden`` (input of its last layer; left
            out if the head is a single layer), and by kind of probe, ``mlp`` and ``linear``.
    """

    chance: tuple[Number, ...]
    wrong_cue: Matrix
    probes: Mapping[str, Mapping[str, Probed]]
