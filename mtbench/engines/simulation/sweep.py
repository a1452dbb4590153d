"""Intervals between checkpoints, compared over many simulated courses of a grid."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

import numpy as np

from mtbench.engines.simulation.closed import expected_failures
from mtbench.engines.simulation.course import Course, Outages, simulate
from mtbench.engines.simulation.setting import NEVER, Cluster, RunCost

__all__ = ["ENDLESS", "Row", "best_rows", "compare", "courses_for", "usual_intervals"]

COURSES = 200
"""Simulated courses of one interval."""
LEAST = 20
"""Simulated courses of one interval if the grid is large."""
ATTEMPTS = 200_000
"""Attempts of one interval, all courses together, above which fewer courses than `COURSES` are simulated: 1 s each."""
ENDLESS = 1_000.0
"""Expected failures of one run from which on a grid counts as one that does not end."""
LEVEL = 0.05
"""Probability that any row as good as the best one is told apart from it by chance."""
NEGLIGIBLE = 0.001
"""Fraction of the makespan below which a difference does not matter."""

_USUAL = (0, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One interval between checkpoints.

    Attributes:
        every: seconds between two checkpoints, 0 for one after each epoch, `NEVER` for none.
        courses: the simulated courses; none if a run would meet more than `ENDLESS` failures.
    """

    every: float
    courses: tuple[Course, ...]

    def mean(self, name: str) -> float:
        """Return the mean of a number of `Course` over the courses."""
        return fmean(getattr(course, name) for course in self.courses)

    def span(self, name: str, low: float = 5, high: float = 95) -> tuple[float, float]:
        """Return two percentiles of a number of `Course` over the courses."""
        first, last = np.percentile([getattr(course, name) for course in self.courses], [low, high])
        return float(first), float(last)


def usual_intervals(runs: Sequence[RunCost]) -> list[float]:
    """Return 0, intervals from 10 s to a day that differ from each other for one of the runs, and `NEVER`."""
    found: dict[tuple[int, ...], float] = {}
    kinds = list(dict.fromkeys(runs))
    never = tuple(run.epochs_between(NEVER) for run in kinds)
    for every in _USUAL:
        # More epochs than the run has are as good as infinitely many.
        found.setdefault(tuple(run.epochs_between(every) for run in kinds), every)
    return [*(every for between, every in found.items() if between != never), NEVER]


def courses_for(runs: Sequence[RunCost], cluster: Cluster) -> int:
    """Return the number of courses that are simulated of each interval, which is smaller for a large grid."""
    kinds = Counter(runs).items()
    expected = sum(count * (1 + min(ENDLESS, expected_failures(run, 0, cluster.mtbf))) for run, count in kinds)
    return max(LEAST, min(COURSES, int(ATTEMPTS / expected)))


def compare(
    runs: Sequence[RunCost], cluster: Cluster, intervals: Sequence[float], *, courses: int, seed: int = 0
) -> list[Row]:
    """Simulate each interval under the same failures of the nodes.

    Args:
        intervals: seconds between two checkpoints, see `RunCost.epochs_between`.
        courses: the number of courses of each interval.
        seed: the seed of the failures.
    """
    kinds = set(runs)
    possible = [
        every for every in intervals if max(expected_failures(run, every, cluster.mtbf) for run in kinds) <= ENDLESS
    ]
    found: dict[float, list[Course]] = {every: [] for every in intervals}
    for number in range(courses):
        outages = Outages(cluster, [seed, number])
        for every in possible:
            found[every].append(simulate(runs, cluster, every, outages))
    return [Row(every=every, courses=tuple(each)) for every, each in found.items()]


def best_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the row with the least mean makespan first, then those that are as good.

    A row is worse if its makespan is longer by more than `NEGLIGIBLE` and by more than chance: by the mean of the
    differences course by course, with normal quantiles and Bonferroni's correction. Empty if no row ends.
    """
    ending = [row for row in rows if row.courses]
    if not ending:
        return []
    best = min(ending, key=lambda row: row.mean("makespan"))
    errors = NormalDist().inv_cdf(1 - LEVEL / 2 / max(1, len(ending) - 1))
    return [best, *(row for row in ending if row is not best and not _is_worse(row, best, errors))]


def _is_worse(row: Row, best: Row, errors: float) -> bool:
    pairs = zip(row.courses, best.courses, strict=True)
    differences = np.array([one.makespan - other.makespan for one, other in pairs])
    if len(differences) < 2 or differences.mean() <= NEGLIGIBLE * best.mean("makespan"):
        return False
    return bool(differences.mean() > errors * differences.std(ddof=1) / math.sqrt(len(differences)))
