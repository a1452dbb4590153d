"""Verdicts of a certificate: the method against each row of each dataset, in pairs of seeds.

The words are those of `mtbench.stats.verdict`, after Holm's correction over all comparisons of the certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.certificate.rows import Part, Row
from mtbench.plan.suite import MEAN
from mtbench.report.data.columns import column_of
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.constant import not_above
from mtbench.report.data.gains.relative import delta_terms
from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.relative import delta_m
from mtbench.stats.verdict import Verdict, adjust, judge
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus

__all__ = ["UNLEARNED", "Judged", "Ran", "RanPart", "judge_all"]

UNLEARNED = Verdict(
    word="undecided", sentence="undecided: neither side is above the best constant prediction", runs=None
)
"""The verdict where nothing that is compared is above the constant prediction, however it differs."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A row and its runs.

    Attributes:
        row: the row as it was planned.
        runs: its runs in the order of the seeds.
    """

    row: Row
    runs: MethodRuns

    @classmethod
    def of(cls, row: Row, statuses: Sequence[RunStatus]) -> "Ran":
        """Return a row with the states of its runs."""
        return cls(row=row, runs=MethodRuns(title=row.title, runs=tuple(statuses)))


@dataclass(frozen=True, kw_only=True)
class RanPart:
    """A dataset of a certificate with its runs.

    Attributes:
        part: the part as it was planned.
        own: the row of the method.
        single: the row of single-task networks that Δm is relative to.
        rows: the rows of references, those of tuned weights among them.
    """

    part: Part
    own: Ran
    single: Ran
    rows: tuple[Ran, ...]

    @property
    def title(self) -> str:
        """The dataset as tables show it."""
        return self.own.row.specs[0].titles.dataset

    @property
    def name(self) -> str:
        """The dataset without its options, which a size names once."""
        return self.own.row.specs[0].dataset.name

    @property
    def tasks(self) -> tuple[TaskInfo, ...]:
        """The tasks in the dataset's order."""
        return tuple(map(TaskInfo.of, self.own.row.specs[0].resolve().dataset.tasks()))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the rows."""
        return tuple(spec.seed for spec in self.own.row.specs)

    def values(self, ran: Ran) -> NDArray[np.float64]:
        """Return the number that is compared of each seed (S,) of a row, NaN where there is none."""
        if self.part.measure == "mean":
            found: NDArray[np.float64] = ran.runs.tested(self.tasks, self.seeds).mean(axis=1)
            return found
        terms = delta_terms(self.tasks, "task")
        single = self.single.runs.measured(terms.pairs, self.seeds)
        return delta_m(ran.runs.measured(terms.pairs, self.seeds), single, terms.higher, terms.groups)

    def learned(self, ran: Ran) -> bool:
        """Return whether a row is above the best constant prediction in the mean, or in a task where there is none."""
        first = self.tasks[0].metrics[0]
        columns = (
            [column_of(MEAN, first)]
            if self.part.measure == "mean"
            else [column_of(task.name, task.metrics[0]) for task in self.tasks]
        )
        return not all(not_above(ran.runs, column) for column in columns)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict on the method against one row.

    Attributes:
        ran: the dataset.
        against: the row.
        contrast: the method minus the row.
        p: the p-value of no difference after Holm's correction; NaN if there is none.
        verdict: the verdict on the method.
    """

    ran: RanPart
    against: Ran
    contrast: Contrast
    p: float
    verdict: Verdict


def judge_all(parts: Sequence[RanPart]) -> list[Judged]:
    """Return the verdict on the method against every row of every dataset; all are corrected together."""
    pairs = [(part, row) for part in parts for row in part.rows]
    contrasts = [paired(part.values(part.own), part.values(row)) for part, row in pairs]
    adjusted = adjust(contrasts, [part.part.sample.margin or None for part, _ in pairs])
    found = []
    for (part, row), contrast, each in zip(pairs, contrasts, adjusted, strict=True):
        higher = part.part.measure == "delta_m" or part.tasks[0].higher_is_better
        margin = part.part.sample.margin or None
        verdict = judge(contrast, margin=margin, adjusted=each, higher_is_better=higher)
        if contrast.n and not part.learned(part.own) and not part.learned(row):
            verdict = UNLEARNED
        found.append(Judged(ran=part, against=row, contrast=contrast, p=each.difference, verdict=verdict))
    return found
