"""Metrics of test splits that kinds of tasks define today, from the predictions that runs stored.

Records are never changed: they are what the runs found. What is derived stands beside them, with the recorded value.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from mtbench.door.checks.recompute import Unverifiable, derive_run
from mtbench.door.checks.runs import FinishedRun
from mtbench.errors import DamagedRecord, DataError, UsageError, did_you_mean
from mtbench.train.machine.device import deterministic
from mtbench.train.recompute.derive import Derived, confusion
from mtbench.train.recompute.labels import Labels, Reader

__all__ = ["COLUMNS", "COUNTS", "Rescored", "rescore"]

_RUN = ("dataset", "method", "protocol", "seed", "id")
COLUMNS = (*_RUN, "split", "task", "metric", "unit", "value", "recorded")
"""Columns of the metrics."""
COUNTS = (*_RUN, "split", "task", "true", "predicted", "count")
"""Columns of the confusion matrices."""


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """Metrics derived from stored predictions.

    Attributes:
        scores: a row per run, task and metric, with `COLUMNS`; ``recorded`` is NaN where the record lacks the metric.
        confusion: a row per run, task of classes, true and predicted class, with `COUNTS`.
        left: runs without a row, by the reason.
    """

    scores: pd.DataFrame
    confusion: pd.DataFrame
    left: dict[str, list[FinishedRun]]

    @property
    def added(self) -> pd.DataFrame:
        """The rows of metrics that the records lack."""
        return self.scores[self.scores["recorded"].isna() & self.scores["value"].notna()]

    @property
    def changed(self) -> pd.DataFrame:
        """The rows whose value is not the recorded one."""
        known = self.scores[self.scores["recorded"].notna() & self.scores["value"].notna()]
        return known[known["recorded"] != known["value"]]


def rescore(
    runs: Iterable[FinishedRun], root: Path, *, metrics: Collection[str] = (), with_confusion: bool = False
) -> Rescored:
    """Derive the metrics of test splits from stored predictions.

    Args:
        runs: the runs, those of one dataset together.
        root: the folder of the data files.
        metrics: names of the metrics that are wanted; all if there are none.
        with_confusion: True to count true and predicted classes too.

    Raises:
        UsageError: no task has one of the metrics.
    """
    deterministic(torch.device("cpu"), "float32")
    reader, left = Reader(root), dict[str, list[FinishedRun]]()
    scores, counts, names = list[tuple[Any, ...]](), list[tuple[Any, ...]](), dict[str, None]()
    for run in runs:
        try:
            labels, derived = derive_run(run, reader)
        except (Unverifiable, DataError, DamagedRecord) as cause:
            left.setdefault(str(cause).rstrip("."), []).append(run)
            continue
        for why in derived.misfits.values():
            left.setdefault(f"its predictions {why}", []).append(run)
        names.update(dict.fromkeys(name for scored in derived.results.values() for name in scored.metrics))
        scores += _scores(run, derived, metrics)
        if with_confusion:
            counts += _counts(run, labels)
    for name in metrics:
        if names and name not in names:
            raise UsageError(
                f"--metric is '{name}'.", mend=did_you_mean(name, names), allowed=f"Allowed: {', '.join(names)}."
            )
    return Rescored(
        scores=pd.DataFrame(scores, columns=list(COLUMNS)),
        confusion=pd.DataFrame(counts, columns=list(COUNTS)),
        left=left,
    )


def _scores(run: FinishedRun, derived: Derived, metrics: Collection[str]) -> Iterator[tuple[Any, ...]]:
    recorded = run.record.results["test"]
    for task in derived.tasks:
        units = {metric.name: metric.unit for metric in task.kind.metrics}
        for name, value in derived.results[task.name].metrics.items() if task.name in derived.results else ():
            if not metrics or name in metrics:
                before = recorded[task.name].metrics.get(name, math.nan) if task.name in recorded else math.nan
                yield *_of_run(run), "test", task.name, name, units.get(name, ""), value, before


def _counts(run: FinishedRun, labels: Labels) -> Iterator[tuple[Any, ...]]:
    stored = run.folder.predictions(run.record)
    for index, task in enumerate(labels.tasks):
        matrix = confusion(labels, stored, index)
        for true, line in enumerate(matrix.tolist() if matrix is not None else ()):
            for predicted, count in enumerate(line):
                names = (_class(task.answers, number) for number in (true, predicted))
                yield *_of_run(run), "test", task.name, *names, count


def _class(answers: Sequence[str], number: int) -> str:
    return answers[number] if number < len(answers) else str(number)


def _of_run(run: FinishedRun) -> tuple[str, str, str, int, str]:
    spec = run.record.spec
    return spec.titles.dataset, spec.titles.method, spec.titles.protocol, spec.seed, spec.id
