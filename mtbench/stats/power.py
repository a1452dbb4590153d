"""Effects that n runs can see: power, the least effect that they detect, and how many runs a new plan needs.

All of it is of Student's t for normal values whose spread is estimated from the runs themselves. Given that the
estimate is s times the true spread, the mean is normal; so a power is a normal probability averaged over the
distribution of s, sqrt(chi2 / freedom), by quadrature. For the plain test this is the noncentral t distribution
(Johnson and Welch, Applications of the non-central t-distribution, Biometrika 31, 1940), for the test of equivalence
it is Phillips, Power of the two one-sided tests procedure, J. Pharmacokinetics and Biopharmaceutics 18, 1990.
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
"""Points of the quadrature: powers are right to 1e-4 at any number of runs."""


def two_sided_power(noncentrality: float, freedom: float, *, level: float = 0.05) -> float:
    """Return how often a two-sided t-test at `level` calls a true effect of `noncentrality` standard errors."""
    quantile = float(stdtrit(freedom, 1 - level / 2))
    spreads, weights = _spreads(freedom)
    return float(weights @ (ndtr(noncentrality - quantile * spreads) + ndtr(-noncentrality - quantile * spreads)))


@lru_cache(maxsize=4096)
def detectable_noncentrality(freedom: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """Return the effect, in standard errors, that a two-sided t-test at `level` calls with probability `power`."""
    quantile = float(stdtrit(freedom, 1 - level / 2))
    most = quantile * float(_spreads(freedom)[0][-1]) + 8

    def missing(noncentrality: float) -> float:
        return two_sided_power(noncentrality, freedom, level=level) - power

    return float(brentq(missing, 0.0, most))


def equivalence_power(difference: float, std: float, n: int, *, margin: float, level: float = 0.05) -> float:
    """Return how often the 1 - 2 `level` interval of n >= 2 pairs lies inside -margin..margin (two one-sided tests).

    Args:
        difference: the true mean difference.
        std: the true standard deviation of a difference, above 0.
        n: pairs.
        margin: the greatest difference that does not matter, in the unit of both.
        level: of each of the two tests.
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
    """Return the least n of a new plan of n pairs whose 1 - `level` interval would exclude zero with probability
    `power`.

    The plan is for fresh runs: to add seeds to those that suggested the difference, until it shows, tests nothing. The
    difference is taken for the true one, as it is when it is what one cares to find; one that was measured is likely to
    be too large, and n too small.

    For unpaired runs give std = sqrt(s1^2 + s2^2): n is then of each method, and a few too many, as n - 1 degrees of
    freedom are counted, the fewest that Welch's test can have.

    Args:
        difference: the true mean difference, of either sign.
        std: of a difference.
        level: 1 - the interval's confidence; divide it by the number of comparisons that are corrected for.
        power: the probability asked for.
        most: larger plans are not looked for.

    Returns:
        n; None if no plan up to `most` does it, as where the difference is zero, or if the spread is unknown or zero.
    """
    effect = abs(difference)
    if std is None or not std > 0 or not effect > 0:
        return None
    return _least(lambda n: two_sided_power(effect / std * n**0.5, n - 1, level=level), power, most)


def runs_to_equivalence(
    difference: float, std: float | None, *, margin: float, level: float = 0.05, power: float = 0.8, most: int = 1000
) -> int | None:
    """Return the least n of a new plan of n pairs whose 1 - 2 `level` interval would lie inside -margin..margin.

    Arguments and result as for `runs_needed`; None also where the difference is no smaller than the margin.
    """
    if std is None or not std > 0 or not abs(difference) < margin:
        return None
    return _least(lambda n: equivalence_power(difference, std, n, margin=margin, level=level), power, most)


def _least(power_at: Callable[[int], float], power: float, most: int) -> int | None:
    """Return the least n from 2 to `most` with the power asked for; power grows with n."""
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
    """Return values of sqrt(chi2 / freedom) in ascending order and their weights: a quadrature over its
    distribution."""
    nodes, weights = _legendre()
    return np.sqrt(2 * gammaincinv(freedom / 2, nodes) / freedom), weights


@lru_cache(maxsize=1)
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes and weights on 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2
