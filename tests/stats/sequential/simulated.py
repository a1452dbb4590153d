"""Grids of made-up runs, judged by the function that judges those of ``mtbench run --until-decided``."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from mtbench.report.data.columns import columns_of, scores
from mtbench.report.data.comparison import compare
from mtbench.stats.contrast import Contrast
from mtbench.stats.sequential.course import Course, Hypothesis, follow
from mtbench.stats.sequential.rule import Rule
from mtbench.store.union import survey_all
from tests.builders.kept import RESULTS, kept

LOOKS = (3, 5, 8, 12, 20)
Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
"""Draws differences of mean 0 and standard deviation 1, in a shape."""


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.standard_normal(shape)


def resampled(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.choice(differences(), shape)


@cache
def differences() -> NDArray[np.float64]:
    """Return paired differences of real seeds: of each pair of 40 methods of kept evidence, without their mean.

    In each column they are divided by the standard deviation over all pairs, so that pairs of unlike methods, which
    vary more, are the heavy tails.
    """
    pool = []
    for comparison in compare(survey_all(kept("2026-11-24-mmnist2-all"), RESULTS / "nowhere")):
        for column in columns_of(comparison):
            values = np.array(scores(comparison, column))
            pairs = np.array([one - other for one, other in combinations(values[~np.isnan(values).any(axis=1)], 2)])
            pairs -= pairs.mean(axis=1, keepdims=True)
            pool.append((pairs / np.sqrt((pairs**2).mean())).ravel())
    return np.concatenate(pool)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A grid that was judged to its end: its claims and the number of seeds that each used."""

    courses: Sequence[Course]

    @property
    def positive(self) -> bool:
        """True if any claim was called better or worse."""
        return any(course.last is not None and course.last.word in ("better", "worse") for course in self.courses)

    @property
    def seeds(self) -> float:
        """The mean number of seeds of a claim."""
        return float(np.mean([LOOKS[len(course.steps) - 1] for course in self.courses]))


def judged(values: NDArray[np.float64], margin: float | None = None, direction: str = "better") -> Iterator[Outcome]:
    """Judge grids of paired differences (grids, claims, seeds) by the looks."""
    claims = values.shape[1]
    rule = Rule(looks=LOOKS, claims=claims)
    hypotheses = [Hypothesis(direction=direction, margin=margin, family="all")] * claims
    found = [list(_contrasts(values[:, :, :n].reshape(-1, n))) for n in LOOKS]
    for grid in range(len(values)):

        def contrasts(look: int, waiting: Sequence[int], grid: int = grid) -> dict[int, Contrast]:
            return {index: found[look][grid * claims + index] for index in waiting}

        yield Outcome(courses=follow(rule, hypotheses, [True] * claims, contrasts))


def _contrasts(rows: NDArray[np.float64]) -> Iterator[Contrast]:
    n = rows.shape[1]
    means, errors = rows.mean(axis=1), rows.std(axis=1, ddof=1) / n**0.5
    ps = 2 * stdtr(n - 1, -abs(means) / errors)
    for mean, error, p in zip(means.tolist(), errors.tolist(), ps.tolist(), strict=True):
        yield Contrast(
            matched=True,
            n=n,
            runs=(n, n),
            difference=mean,
            std=error * n**0.5,
            error=error,
            freedom=float(n - 1),
            p=p,
            sign_flip=None,
            least=None,
            detectable=None,
            correlation=None,
            welch=math.nan,
        )
