"""Findings of a run's diagnostics, as its record keeps them; matrices are rows in the order of the tasks."""

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

    The entry of two tasks is of their gradients on the same mini-batches; that of a task with itself, on the diagonal,
    is the null: of its gradients on the two halves of each mini-batch. Both are symmetric.

    Attributes:
        batches: on how many mini-batches an entry was measured.
        ucr: update compliance ratio, % of those on which the inner product was positive.
        cosine: the mean cosine of the angle between the two gradients, 0 where one of them vanished.
    """

    batches: tuple[tuple[int, ...], ...]
    ucr: Matrix
    cosine: Matrix


@dataclass(frozen=True, kw_only=True)
class Probed:
    """Findings of fresh probes in the features of one depth of a network.

    Attributes:
        accuracy: % of the test examples, by the task that the network was asked for (row) and that of the labels.
        selectivity: 1 if nothing of the other tasks is found in the features for a task, 0 if as much as is found of
            them in their own; NaN of a single task.
    """

    accuracy: Matrix
    selectivity: Number


@dataclass(frozen=True, kw_only=True)
class Selectivity:
    """The extent to which the features for one task say something of the others, after training.

    Attributes:
        chance: by task, the accuracy in % on the test split of always saying the most frequent class of training.
        wrong_cue: the accuracy in % of the network's own answer, by the task that it was asked for (row) and that of
            the labels; NaN where the two have unlike numbers of classes.
        probes: by depth, ``representation`` (what enters the head) and ``hidden`` (what enters its last layer; left
            out where the head is a single layer), and by kind of probe, ``mlp`` and ``linear``.
    """

    chance: tuple[Number, ...]
    wrong_cue: Matrix
    probes: Mapping[str, Mapping[str, Probed]]
