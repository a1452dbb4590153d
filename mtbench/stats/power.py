"""Power of n runs: the smallest effect that they detect, and the number of runs that a new plan needs.

Everything is about Student's t for normal values whose standard deviation is estimated from the runs themselves. If the
estimate is s times the true standard deviation, the mean is normal; so a power is a normal probability averaged over
the distribution of s, sqrt(chi2 / freedom), by quadrature. For the ordinary test this is the noncentral t distribution
(Johnson and Welch, Applications of the non-central t-distribution, Biometrika 31, 1940), for the test of equivalence it
is Phillips, Power of the two one-sided tests procedure, J. Pharmacokinetics and Biopharmaceutics 18, 1990.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, stdtrit

__all__ = [
    "detectable_noncentrality",
    "equivalence_power",
    "runs_needed",
    "runs_to_equivalence",
    "two_sided_power",
]

_NODES = 400
"""Number of points of the quadrature: powers have an error below 1e-4 for any number of runs."""


def two_sided_power(noncentrality: float, freedom: float, *, level: float = 0.05) -> float:
    """Return the power of a two-sided t-test at `level` for a true effect of `noncentrality` standard errors."""
    quantile = float(stdtrit(freedom, 1 - level / 2))
    spreads, weights = _spreads(freedom)
    return float(weights @ (ndtr(noncentrality - quantile * spreads) + ndtr(-noncentrality - quantile * spreads)))


@lru_cache(maxsize=4096)
def detectable_noncentrality(freedom: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """Return the effect, in standard errors, that a two-sided t-test at `level` detects with probability `power`."""
    quantile = float(stdtrit(freedom, 1 - level / 2))
    most = quantile * float(_spreads(freedom)[0][-1]) + 8

    def missing(noncentrality: float) -> float:
        return two_sided_power(noncentrality, freedom, level=level) - power

    return float(brentq(missing, 0.0, most))


def equivalence_power(difference: float, std: float, n: int, *, margin: float, level: float = 0.05) -> float:
    """Return the probability that the 1 - 2 `level` interval of n >= 2 pairs is inside -margin..margin (equivalence).

    Args:
        difference: the true mean difference.
        std: the true standard deviation of a difference, above 0.
        n: number of pairs.
        margin: the largest difference that does not matter, in the unit of both.
        level: level of each of the two one-sided tests.
    """
    error = std / n**0.5
    spreads, weights = _spreads(n - 1)
    room = margin - float(stdtrit(n - 1, 1 - level)) * spreads * error
    inside = ndtr((room - difference) / error) - ndtr((-room - difference) / error)
    return float(weights @ np.where(room > 0, inside, 0.0))


def runs_needed(
    difference: float,
    std: float | None,
    *,
    level: float = 0.05,
    power: float = 0.8,
    most: int = 1000,
) -> int | None:
    """Return the smallest n of a new plan of n pairs whose 1 - `level` interval excludes zero with probability `power`.

    The plan is for new runs: adding seeds to the runs that suggested the difference until it is significant is no valid
    test. The difference is taken as the true one, which is right for a difference of interest; a measured one is likely
    to be too large, and n too small.

    For unpaired runs give std = sqrt(s1^2 + s2^2): n is then the number of runs of each method, and slightly too large,
    since n - 1 degrees of freedom are used, the fewest that Welch's test can have.

    Args:
        difference: the true mean difference, of either sign.
        std: standard deviation of a difference.
        level: 1 - the interval's confidence; divide it by the number of comparisons that are corrected for.
        power: the required probability.
        most: the largest plan to try.

    Returns:
        n; None if no plan up to `most` is sufficient, e.g. for a difference of zero, or if the standard deviation is
        unknown or zero.
    """
    effect = abs(difference)
    if std is None or not std > 0 or not effect > 0:
        return None
    return _least(lambda n: two_sided_power(effect / std * n**0.5, n - 1, level=level), power, most)


def runs_to_equivalence(
    difference: float, std: float | None, *, margin: float, level: float = 0.05, power: float = 0.8, most: int = 1000
) -> int | None:
    """Return the smallest n of a new plan of n pairs whose 1 - 2 `level` interval is inside -margin..margin.

    Arguments and result are those of `runs_needed`; None also if the difference is no smaller than the margin.
    """
    if std is None or not std > 0 or not abs(difference) < margin:
        return None
    return _least(lambda n: equivalence_power(difference, std, n, margin=margin, level=level), power, most)


def _least(power_at: Callable[[int], float], power: float, most: int) -> int | None:
    """Return the smallest n from 2 to `most` with the required power; power grows with n."""
    enough = 2
    while power_at(enough) < power:
        if enough >= most:
            return None
        enough = min(2 * enough, most)
    few = enough // 2
    while enough - few > 1:
        middle = (few + enough) // 2
        if power_at(middle) < power:
            few = middle
        else:
            enough = middle
    return enough


@lru_cache(maxsize=4096)
def _spreads(freedom: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values of sqrt(chi2 / freedom) in ascending order and their weights: a quadrature of its distribution."""
    nodes, weights = _legendre()
    return np.sqrt(2 * gammaincinv(freedom / 2, nodes) / freedom), weights


@lru_cache(maxsize=1)
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights on 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2
