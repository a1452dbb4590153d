"""All pairs of methods that are significantly different, under one family-wise error of 5 %.

Two methods are significantly different if both tests say so:

- Tukey's range test, which compares a difference with the largest difference among M equal methods (Tukey, The problem
  of multiple comparisons, 1953), with one variance for all; Kramer's form where numbers of runs differ (Biometrics 12,
  1956). Methods whose variance is significantly larger than that of the others (Cochran's test at 0.1 %, the largest
  first, Annals of Eugenics 11, 1941) do not enter this variance, and have their own.
- The test of Games and Howell (J. Educational Statistics 1, 1976), with the variances of the two methods alone and the
  degrees of freedom of Welch and Satterthwaite. In blocks the variance of their paired differences replaces the sum of
  the two where it is larger, as where seeds that are good for one method are bad for the other.

The first alone is exact if variances are equal: one method of 12 with four times the standard deviation of the others
makes it false in 20 % of tables. The second alone is false in 12 % of tables of 12 equal methods with 3 seeds, and in
35 % of 40, since some of many variances of 3 values are small by chance. Together they are false in at most 5 % at 3
seeds and more, as `tests/stats/ranks` simulates, with variances that are equal, or 1:16 (at 5 % Cochran's test would
take so many methods out of the common variance that it becomes too small: 9 %). No exact test with own variances is of
use there: paired t-tests of 780 pairs with Holm's correction need |t| > 125.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtri, stdtrit

from mtbench.stats.contrast import LEVEL
from mtbench.stats.ranks.fit import Array, Fit, fit
from mtbench.stats.ranks.studentized import range_quantile

__all__ = ["LEAST", "Differences", "differences"]

LEAST = 3
"""The smallest number of seeds of a method that is compared."""
_LARGER = 0.001
"""Significance level of a variance that is larger than those of all other methods."""
_NOISE = 1e-12
"""A standard deviation below this fraction of the values is rounding."""
_NODES = 5
"""Number of degrees of freedom at which the quantile of the range is computed; between them it is interpolated."""
_ROUNDING = 1e-6
"""The largest error of degrees of freedom by rounding."""
_SMALLEST = 1e-6
"""The smallest weight of a method with a large variance."""


@dataclass(frozen=True, kw_only=True)
class Differences:
    """The significant differences between M methods.

    Attributes:
        compared: (M,) True for methods with enough seeds.
        means: (M,) of the methods up to a common constant, in the good direction; NaN for one that is not compared.
        better: (M, M) True where the method of the row is significantly better than that of the column.
        not_best: (M,) True for methods that are significantly worse than the one with the best mean.
        apart: (M,) True for methods with a significantly larger variance.
        pairs: number of pairs that are compared.
        freedom: degrees of freedom of the common variance; NaN if nothing is compared.
        least: the smallest difference that Tukey's test calls significant, the median over pairs that have the common
            variance, in the unit of the values; NaN likewise.
    """

    compared: NDArray[np.bool_]
    means: Array
    better: NDArray[np.bool_]
    not_best: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    pairs: int
    freedom: float
    least: float


def differences(
    values: ArrayLike, *, higher_is_better: bool, blocks: bool = True, baselines: Collection[int] | None = None
) -> Differences:
    """Return the significant differences between the methods that have three seeds or more.

    Args:
        values: (M, S) per method and seed, NaN where there is none.
        higher_is_better: the good direction.
        blocks: True to compare values of one seed with each other, False if seeds have nothing in common.
        baselines: methods that all others are compared with, beside the best; None for all pairs. That another method
            is worse than the one with the best mean shows no more than that it is not the best, since that method is
            known only from the values (Hsu, Simultaneous confidence intervals for all distances from the best, Annals
            of Statistics 9, 1981).
    """
    goodness = np.atleast_2d(np.asarray(values, dtype=np.float64)) * (1 if higher_is_better else -1)
    compared, goodness = _enough(goodness, blocks=blocks)
    at = np.flatnonzero(compared)
    if len(at) < 2:
        return _nothing(len(goodness))
    found, own_variance, common, freedom = _with_common_variance(goodness[at], blocks=blocks)
    wanted, tests = _wanted(at, baselines)
    noise = (_NOISE * float(np.nanmax(np.abs(goodness[at])))) ** 2
    own = np.einsum("k,kab->ab", found.variances, found.shares)
    own_freedom = _own_freedom(found, own)
    own *= found.excess
    tested = found.linked & (own > noise) & (common > noise) & ~np.eye(len(at), dtype=bool)
    distance, error = found.means[:, None] - found.means, np.sqrt(common * found.factors)
    quantile = float(_quantiles(found, np.array([freedom]), tests)[0])
    own_quantile = _quantiles(found, own_freedom[tested], tests)
    beyond = tested & (distance > quantile * error)
    beyond[tested] &= distance[tested] > own_quantile * np.sqrt(own[tested])
    best = int(np.argmax(found.means))
    wanted_or_best = wanted.copy()
    wanted_or_best[best] = wanted_or_best[:, best] = True
    usual = np.flatnonzero(~own_variance)
    between = error[np.ix_(usual, usual)][np.triu_indices(len(usual), k=1)]
    return Differences(
        compared=compared,
        means=_placed(found.means, at, np.full(len(goodness), np.nan)),
        better=_placed(beyond & wanted, np.ix_(at, at), np.zeros((len(goodness),) * 2, dtype=bool)),
        not_best=_placed(beyond[best], at, np.zeros(len(goodness), dtype=bool)),
        apart=_placed(own_variance, at, np.zeros(len(goodness), dtype=bool)),
        pairs=int(np.triu(wanted_or_best, k=1).sum()),
        freedom=freedom,
        least=quantile * float(np.median(between)),
    )


def _wanted(at: NDArray[np.int64], baselines: Collection[int] | None) -> tuple[NDArray[np.bool_], int | None]:
    """Return the pairs (M, M) that are compared, but for those with the best, and the number of one-sided tests, if
    they are fewer than those of all pairs."""
    if baselines is None:
        return np.ones((len(at), len(at)), dtype=bool), None
    fixed = np.isin(at, list(baselines))
    wanted = fixed[:, None] | fixed
    # Of the pairs with the best mean, only that of the truly best method can be a false positive, on one side.
    return wanted, 2 * int(np.triu(wanted, k=1).sum()) + len(at) - 1


def _enough(goodness: Array, *, blocks: bool) -> tuple[NDArray[np.bool_], Array]:
    """Return which methods have `LEAST` values that count, and the values that do: in blocks those of shared seeds."""
    kept = np.where(np.isfinite(goodness), goodness, np.nan)
    while True:
        known = ~np.isnan(kept)
        few = known.sum(axis=1) < LEAST
        alone = known.sum(axis=0) < 2 if blocks else np.zeros(kept.shape[1], dtype=bool)
        further = np.where(few[:, None] | alone, np.nan, kept)
        if (np.isnan(further) == np.isnan(kept)).all():
            return ~few, kept
        kept = further


def _with_common_variance(goodness: Array, *, blocks: bool) -> tuple[Fit, NDArray[np.bool_], float, int]:
    """Return the fit, the methods with a larger variance, the common variance of the others and its degrees of
    freedom."""
    weights = np.ones(len(goodness))
    apart = np.zeros(len(goodness), dtype=bool)
    while True:
        found = fit(goodness, weights, blocks=blocks)
        common, freedom = _pooled(found, ~apart)
        rest = ~apart
        largest = int(np.argmax(np.where(apart, -np.inf, found.variances)))
        rest[largest] = False
        if rest.sum() < 2:
            return found, apart, common, freedom
        others, degrees = _pooled(found, rest)
        bound = float(fdtri(found.runs[largest] - 1, degrees, 1 - _LARGER / (rest.sum() + 1)))
        if not 0 < bound * others < found.variances[largest]:
            return found, apart, common, freedom
        apart[largest] = True
        weights[apart] = np.clip(others / found.variances[apart], _SMALLEST, 1.0)


def _pooled(found: Fit, which: NDArray[np.bool_]) -> tuple[float, int]:
    """Return the common variance of some methods, and its degrees of freedom, rounded down."""
    residual = found.residual[which]
    return float(found.variances[which] @ residual / residual.sum()), math.floor(residual.sum() + _ROUNDING)


def _own_freedom(found: Fit, own: Array) -> Array:
    """Return the degrees of freedom (M, M) of differences with the variances of their methods, of Welch and
    Satterthwaite."""
    parts = found.variances[:, None, None] * found.shares
    squares = np.einsum("kab,k->ab", parts**2, 1 / (found.runs - 1))
    freedom: Array = np.divide(own**2, squares, out=np.ones_like(own), where=squares > 0)
    return freedom


def _quantiles(found: Fit, freedom: Array, tests: int | None) -> Array:
    """Return the quantile of the largest of all standardized differences, for each of some degrees of freedom; where
    Bonferroni's of fewer tests is smaller, that.

    Each takes 10 ms to compute, and its logarithm is nearly linear in the inverse degrees of freedom: polynomials
    through a few nodes, which are the same for all tables of one design, have errors below 0.2 %.
    """
    low, high = float(found.runs.min() - 1), math.floor(found.residual.sum() + _ROUNDING)
    nodes = np.linspace(1 / high, 1 / low, _NODES) if low < high else np.array([1 / high])
    known = [math.log(range_quantile(1 - LEVEL, len(found.runs), float(1 / node))) for node in nodes]
    inverse = 1 / np.clip(freedom, low, high)
    others = [[(inverse - each) / (node - each) for each in nodes if each != node] for node in nodes]
    logarithm = sum(
        value * math.prod(ratios, start=np.ones_like(inverse)) for value, ratios in zip(known, others, strict=True)
    )
    quantiles: Array = np.exp(logarithm) / math.sqrt(2)
    return quantiles if tests is None else np.minimum(quantiles, stdtrit(freedom, 1 - LEVEL / tests))


def _nothing(count: int) -> Differences:
    none = np.zeros(count, dtype=bool)
    return Differences(
        compared=none,
        means=np.full(count, np.nan),
        better=np.zeros((count, count), dtype=bool),
        not_best=none,
        apart=none,
        pairs=0,
        freedom=math.nan,
        least=math.nan,
    )


def _placed(values: Any, at: Any, into: Any) -> Any:
    into[at] = values
    return into
