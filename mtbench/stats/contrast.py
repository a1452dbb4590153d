"""Comparison of two methods: the mean difference, its confidence interval, its p-value and its power.

A contrast is over runs: a value per run, either a task's metric or a mean over tasks within the run. Runs of the same
seed have the same data order and initial backbone and are compared in pairs. If seeds have nothing in common, as with
numbers printed in a paper, Welch's test replaces the paired one (Welch, The generalization of Student's problem when
several different population variances are involved, Biometrika 34, 1947).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from mtbench.stats.power import detectable_noncentrality
from mtbench.stats.summary import Interval, known

__all__ = ["LEVEL", "Contrast", "holm", "paired", "sign_flip", "welch", "welch_from"]

LEVEL = 0.05
"""Significance level of p-values after correction: the probability of any false positive in a family of tests."""
_MOST_PAIRS = 40
"""The largest number of pairs of an exact sign-flip test: its two halves have 2^20 sums each."""
_NOISE = 1e-12
"""A standard deviation below this fraction of the values themselves is rounding."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The difference first minus second, over runs.

    Undefined values are None, or NaN for a p. With fewer than two pairs (or fewer than two runs of either method) there
    is a difference but no standard deviation. If the differences do not vary their standard deviation is 0, which is no
    estimate of chance, so that there is neither an interval nor a p (the sign-flip test is still defined).

    Attributes:
        matched: True if runs are paired.
        n: number of pairs; unpaired, the smaller number of runs.
        runs: numbers of runs of the first and of the second method.
        difference: mean of the first minus mean of the second; NaN if either has no runs.
        std: standard deviation of the differences (n - 1 in the denominator); unpaired sqrt(s1^2 + s2^2), that of the
            difference of two single runs. None if n < 2.
        error: standard error of the difference; None if n < 2.
        freedom: degrees of freedom of its t distribution; None if n < 2 or the values do not vary.
        p: p-value of the two-sided t-test, paired or Welch's; NaN if n < 2 or the values do not vary.
        sign_flip: p-value of the exact two-sided test that flips signs of differences; None if unpaired, without pairs
            or with more than 40.
        least: the smallest p-value of a sign-flip test of n pairs, 2 / 2^n; None if unpaired or without pairs.
        detectable: the difference that a two-sided t-test at 5 % detects with 80 % power; None if n < 2 or the values
            do not vary.
        correlation: Pearson's correlation of the pairs: pairing divides the variance of the difference by about 1 -
            correlation; None if unpaired, n < 3 or either does not vary.
        welch: p-value of Welch's test of the same values, as if they were not paired.
    """

    matched: bool
    n: int
    runs: tuple[int, int]
    difference: float
    std: float | None
    error: float | None
    freedom: float | None
    p: float
    sign_flip: float | None
    least: float | None
    detectable: float | None
    correlation: float | None
    welch: float

    def interval(self, confidence: float = 0.95) -> Interval | None:
        """Return the t-interval of the difference, in the metric's unit; None if there is no p-value."""
        if self.freedom is None or self.error is None:
            return None
        half = float(stdtrit(self.freedom, (1 + confidence) / 2)) * self.error
        return self.difference - half, self.difference + half

    @property
    def greater(self) -> float:
        """The one-sided p-value of the t-test: small if the first is greater than the second. NaN if there is none."""
        return self.p / 2 if self.difference > 0 else 1 - self.p / 2


def paired(first: ArrayLike, second: ArrayLike) -> Contrast:
    """Return the contrast of values (S,) of the same seeds, NaN for a missing run; only seeds with both values count.

    Raises:
        ValueError: the arrays are not of the same seeds, i.e. not of one shape (S,).
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise ValueError(f"paired values need one shape (S,), not {left.shape} and {right.shape}")
    both = ~(np.isnan(left) | np.isnan(right))
    left, right = left[both], right[both]
    differences, n = left - right, len(left)
    std = _std(differences, _scale(left, right))
    varies = std is not None and std > 0
    error = None if std is None else std / n**0.5
    difference = float(differences.mean()) if n else math.nan
    freedom = float(n - 1) if varies else None
    return Contrast(
        matched=True,
        n=n,
        runs=(n, n),
        difference=difference,
        std=std,
        error=error,
        freedom=freedom,
        p=_two_sided(difference, error, freedom),
        sign_flip=sign_flip(differences) if 0 < n <= _MOST_PAIRS else None,
        least=2 / 2**n if n else None,
        detectable=_detectable(error, freedom),
        correlation=_correlation(left, right),
        welch=_two_sided(difference, *_welch_error(*_moments(left), *_moments(right))),
    )


def welch(first: ArrayLike, second: ArrayLike) -> Contrast:
    """Return the contrast of values (S1,) and (S2,) of unpaired runs, NaNs left out."""
    return welch_from(*_moments(known(first)), *_moments(known(second)))


def welch_from(
    first_mean: float, first_std: float, first_n: int, second_mean: float, second_std: float, second_n: int
) -> Contrast:
    """Return the contrast of printed means, standard deviations (n - 1 in the denominator) and numbers of runs.

    A standard deviation that is not printed is NaN, and then there is neither interval nor p. The degrees of freedom
    are those of Welch and Satterthwaite.
    """
    error, freedom = _welch_error(first_mean, first_std, first_n, second_mean, second_std, second_n)
    difference = first_mean - second_mean
    p = _two_sided(difference, error, freedom)
    return Contrast(
        matched=False,
        n=min(first_n, second_n),
        runs=(first_n, second_n),
        difference=difference,
        std=None if error is None else math.hypot(first_std, second_std),
        error=error,
        freedom=freedom,
        p=p,
        sign_flip=None,
        least=None,
        detectable=_detectable(error, freedom),
        correlation=None,
        welch=p,
    )


def sign_flip(differences: ArrayLike) -> float:
    """Return the exact two-sided p-value of the mean of differences (n,) over all 2^n sign flips.

    It is the fraction of sign flips whose mean is at least as far from 0. If neither method is better, a difference and
    its negative are equally likely; normality is not assumed (Fisher, The design of experiments, 1935, section 21).
    Sums are counted by halves, n/2 signs each (Pagano and Tritchler, J. Am. Stat. Assoc. 78, 1983, use another
    algorithm), so that 40 differences take a fraction of a second.

    Raises:
        ValueError: there is no difference, or more than 40.
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if not 0 < n <= _MOST_PAIRS:
        raise ValueError(f"sign flips are counted for 1 to {_MOST_PAIRS} differences, not {n}")
    # Sums that differ only by rounding are equal: the observed one must count itself.
    observed = abs(float(values.sum())) - 1e-9 * float(np.abs(values).sum())
    if observed <= 0:
        return 1.0
    left, right = _signed_sums(values[: n // 2]), _signed_sums(values[n // 2 :])
    below = np.searchsorted(right, observed - left, side="left")
    return int((len(right) - below).sum()) / float(2 ** (n - 1))


def holm(ps: ArrayLike) -> NDArray[np.float64]:
    """Return the p-values (K,) after Holm's correction, in the given order.

    The i-th smallest of K becomes the largest of (K - j + 1) p_(j), j <= i, at most 1 (Holm, A simple sequentially
    rejective multiple test procedure, Scand. J. Stat. 6, 1979). The probability of any false positive is at most the
    level, for any dependence between the tests.

    A NaN stays NaN and is not counted in K: a test that cannot be made has no false positive.
    """
    values = np.asarray(ps, dtype=np.float64)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]  # NaNs come last
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(values.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _scale(*values: NDArray[np.float64]) -> float:
    return max(float(np.abs(array).max(initial=0.0)) for array in values)


def _std(values: NDArray[np.float64], scale: float) -> float | None:
    """Return the standard deviation; exactly 0 if the values, made from numbers of this scale, differ by rounding."""
    if len(values) < 2:
        return None
    std = float(values.std(ddof=1))
    return std if std > _NOISE * scale else 0.0


def _moments(values: NDArray[np.float64]) -> tuple[float, float, int]:
    std = _std(values, _scale(values))
    return float(values.mean()) if len(values) else math.nan, math.nan if std is None else std, len(values)


def _welch_error(
    first_mean: float, first_std: float, first_n: int, second_mean: float, second_std: float, second_n: int
) -> tuple[float | None, float | None]:
    """Return the standard error of the difference and its degrees of freedom."""
    if first_n < 2 or second_n < 2 or not math.isfinite(first_std + second_std + first_mean + second_mean):
        return None, None
    first, second = first_std**2 / first_n, second_std**2 / second_n
    if first + second == 0:
        return 0.0, None
    fraction = first / (first + second)
    return math.sqrt(first + second), 1 / (fraction**2 / (first_n - 1) + (1 - fraction) ** 2 / (second_n - 1))


def _two_sided(difference: float, error: float | None, freedom: float | None) -> float:
    if error is None or freedom is None:
        return math.nan
    return 2 * float(stdtr(freedom, -abs(difference) / error))


def _detectable(error: float | None, freedom: float | None) -> float | None:
    return None if error is None or freedom is None else error * detectable_noncentrality(freedom)


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float | None:
    if len(left) < 3 or not _std(left, _scale(left)) or not _std(right, _scale(right)):
        return None
    return float(np.corrcoef(left, right)[0, 1])


def _signed_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return all 2^n sums of the values with either sign, ascending."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return np.sort(sums)
