"""Answers of runs to test triplets, and the images of these, from what the runs left; no dataset is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.errors import MtbenchError
from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import MethodRuns
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus

__all__ = ["TripletAnswers", "triplet_answers"]

_ROUNDING = 2e-5
"""In % points: more than the mean of a record is off that was computed in another order."""


@dataclass(frozen=True, kw_only=True)
class TripletAnswers:
    """Answers of several methods to the same N triplets.

    Attributes:
        right: per method, by seed, whether each triplet's positive was nearer (N,) bool.
        images: (N, 3) the numbers of the images of each triplet.
        tasks: (N,) the task of each triplet, by its place among the record's tasks.
    """

    right: tuple[Mapping[int, NDArray[np.bool_]], ...]
    images: NDArray[np.int64]
    tasks: NDArray[np.int64]


def triplet_answers(methods: Sequence[MethodRuns], column: str) -> TripletAnswers | None:
    """Return the answers of all runs that have some; None if no run has, or if runs are of unlike triplets.

    A run has none where its predictions are not there or not of triplets, and where the mean of the answers is not the
    metric of its record, as where another metric is the primary one, or where tasks have unlike numbers of triplets.

    Args:
        column: the name of a task, or `mtbench.plan.suite.MEAN` for all tasks.
    """
    right: list[dict[int, NDArray[np.bool_]]] = []
    common: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    for method in methods:
        right.append({})
        for run in method.runs:
            if run.record is None or (found := _answers(run, run.record, column)) is None:
                continue
            answers, images, tasks = found
            common = common or (images, tasks)
            if not (np.array_equal(images, common[0]) and np.array_equal(tasks, common[1])):
                return None
            right[-1][run.spec.seed] = answers
    return common and TripletAnswers(right=tuple(right), images=common[0], tasks=common[1])


def _answers(
    run: RunStatus, record: Record, column: str
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]] | None:
    try:
        folder = RunFolder(run.folder)
        images, stored = folder.images(record), folder.predictions(record)
    except MtbenchError:
        return None
    names = [task.name for task in record.tasks]
    asked = names if column == MEAN else [column]
    if images is None or images.shape[1] != 3 or not set(asked) <= _of_distances(stored, len(images)):
        return None
    found = [(names.index(name), stored[name], (~np.isnan(stored[name])).all(1).nonzero()[0]) for name in asked]
    rows = np.concatenate([of_task for _, _, of_task in found])
    right = np.concatenate([distances[of_task, 0] < distances[of_task, 1] for _, distances, of_task in found])
    tasks = np.concatenate([np.full(len(of_task), index) for index, _, of_task in found])
    recorded = record.mean() if column == MEAN else record.score(record.tasks[found[0][0]])
    if not right.size or abs(100 * right.mean() - recorded) > _ROUNDING:
        return None
    # Numbers may differ by where the inputs lay; which images are the same does not.
    same = np.unique(images[rows], return_inverse=True)[1].reshape(-1, 3)
    return right, same, tasks


def _of_distances(stored: Mapping[str, NDArray[np.generic]], count: int) -> set[str]:
    """Return the tasks of whose N examples two distances each are stored."""
    return {name for name, array in stored.items() if array.dtype.kind == "f" and array.shape == (count, 2)}
