"""Two methods, compared over the seeds that both have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.door.contents import read_and_warn
from mtbench.door.given import Folder, Folders, names
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.verdict import Adjusted, adjust, judge
from mtbench.store.record import TaskInfo

__all__ = ["COLUMNS", "compare"]

COLUMNS = {
    **dict.fromkeys(("dataset", "protocol", "task", "metric", "unit"), "string"),
    "higher_is_better": "boolean",
    **dict.fromkeys(("a", "b"), "string"),
    "n": "Int64",
    **dict.fromkeys(("mean_a", "mean_b", "difference", "low", "high", "p", "p_holm"), "Float64"),
    "verdict": "string",
}
"""Columns of the frame of two methods and their types; numbers in the metric's unit."""


def compare(
    results: Folders,
    a: str,
    b: str,
    *,
    dataset: str | Iterable[str] = (),
    protocol: str = "",
    data_root: Folder | None = None,
) -> pd.DataFrame:
    """Compare two methods on the test split, in pairs of runs of the same seed.

    Runs of one seed share their data order and the backbone's initial weights. Each row tests that the mean difference
    is 0, by the paired t-test; ``p_holm`` is the p-value after Holm's correction over all rows of the frame.

    Args:
        results: a results folder or a pack, or several.
        a: the first method, as tables name it, such as ``td`` or ``branches+pcgrad``.
        b: the second method.
        dataset: datasets to compare them on, such as ``mmnist3``; by default all that have both methods.
        protocol: title of the training protocol, such as ``quick``; by default all that have both methods.
        data_root: see `mtbench.load`.

    Returns:
        a frame with one row per dataset, training protocol and task, of the task's primary metric, and a row ``mean``
        where all tasks share it. ``n`` is the number of pairs; ``mean_a`` and ``mean_b`` are means over these;
        ``difference`` is a - b, ``low`` and ``high`` are its 95 % confidence interval; ``verdict`` says in a sentence
        whether a is better. What cannot be computed is missing, as the interval of one pair is.

    Raises:
        UsageError: there are no runs of one of the methods, or none of both on one dataset under one protocol.
        StoreError: a folder cannot be read, or one run has two different records.

    Example:
        >>> frame = mtbench.compare("results/local", "moo", "uniform")
        >>> frame[["task", "metric", "n"]].values.tolist()
        [['L1', 'objective', 2], ['L2', 'objective', 2], ['mean', 'objective', 2]]
    """
    found = read_and_warn(results, data_root).of_datasets(names(dataset))
    there = [each for each in found.comparisons() if protocol in ("", each.title)]
    rows = [row for comparison in there for row in _rows(comparison, a, b)]
    if not rows:
        raise _nothing(there, a, b)
    adjusted = adjust([row.contrast for row in rows], [None] * len(rows))
    cells = [row.cells(each) for row, each in zip(rows, adjusted, strict=True)]
    frame = pd.DataFrame(cells, columns=[name for name in COLUMNS if name not in ("a", "b")], dtype=object)
    return frame.assign(a=a, b=b)[list(COLUMNS)].astype(COLUMNS)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One metric of both methods.

    Attributes:
        comparison: the runs it is of.
        task: a task with the metric.
        name: the task's name, or `MEAN`.
        means: the means of both methods over the pairs.
        contrast: a - b.
    """

    comparison: Comparison
    task: TaskInfo
    name: str
    means: tuple[float, float]
    contrast: Contrast

    def cells(self, adjusted: Adjusted) -> dict[str, object]:
        """Return the cells of the frame's row."""
        interval = self.contrast.interval()
        verdict = judge(self.contrast, margin=None, adjusted=adjusted, higher_is_better=self.task.higher_is_better)
        return {
            "dataset": self.comparison.dataset,
            "protocol": self.comparison.title,
            "task": self.name,
            "metric": self.task.metric,
            "unit": self.task.unit,
            "higher_is_better": self.task.higher_is_better,
            "n": self.contrast.n,
            "mean_a": self.means[0],
            "mean_b": self.means[1],
            "difference": self.contrast.difference,
            "low": interval[0] if interval else None,
            "high": interval[1] if interval else None,
            "p": self.contrast.p,
            "p_holm": adjusted.difference,
            "verdict": verdict.sentence,
        }


def _rows(comparison: Comparison, a: str, b: str) -> Iterator[_Row]:
    """Yield a row per task, and one of their mean; none if there is no pair of finished runs."""
    methods = {method.title: method for method in comparison.methods}
    if a not in methods or b not in methods:
        return
    first, second = (_values(methods[name], comparison) for name in (a, b))
    both = ~np.isnan(first + second).any(1)
    if not both.any():
        return
    columns = [(task.name, task, index) for index, task in enumerate(comparison.tasks)]
    for name, task, index in columns:
        yield _row(comparison, name, task, first[both, index], second[both, index])
    if (common := comparison.common_metric) and len(columns) > 1:
        yield _row(comparison, MEAN, common, first[both].mean(1), second[both].mean(1))


def _row(
    comparison: Comparison, name: str, task: TaskInfo, first: NDArray[np.float64], second: NDArray[np.float64]
) -> _Row:
    means = float(first.mean()), float(second.mean())
    return _Row(comparison=comparison, task=task, name=name, means=means, contrast=paired(first, second))


def _values(method: MethodRuns, comparison: Comparison) -> NDArray[np.float64]:
    """Return the primary test metrics (S, T), NaN where there is no finished run."""
    return method.tested(comparison.tasks, comparison.seeds)


def _nothing(there: Sequence[Comparison], a: str, b: str) -> UsageError:
    known = sorted({method.title for comparison in there for method in comparison.methods})
    for name in (a, b):
        if name not in known:
            return UsageError(
                f"there are no runs of method '{name}'.",
                mend=did_you_mean(name, known),
                allowed=f"Methods there: {', '.join(known) or 'none'}.",
            )
    return UsageError(
        f"'{a}' and '{b}' have no finished runs with one seed on one dataset under one training protocol.",
        mend="`mtbench status` shows which runs there are.",
    )
