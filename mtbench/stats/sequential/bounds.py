"""Bounds of a group-sequential test: nominal significance levels of its looks.

The overall level is spent over the looks by the function of Lan and DeMets (Discrete sequential boundaries for clinical
trials, Biometrika 70, 1983) that is like the bounds of O'Brien and Fleming: for each side of a two-sided test at level
a, 2 - 2 Phi(z(a / 4) / sqrt(t)) is spent up to the fraction t of the seeds, where z(p) is the upper p-quantile.

The probability of crossing a bound for the first time at a look follows by recursive numerical integration (Armitage,
McPherson and Rowe, Repeated significance tests on accumulating data, J. R. Stat. Soc. A 132, 1969): the density of the
score at a look, without paths that have crossed, is integrated against the normal increment to the next.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

__all__ = ["OBRIEN_FLEMING", "Paths", "nominal_levels"]

OBRIEN_FLEMING = "obrien-fleming"
"""The name of the spending function."""
_NODES = 200
"""Number of points of the quadrature at each look."""
_FARTHEST = 40.0
"""Standard deviations at which a bound is as good as infinite: the normal distribution has no such doubles beyond."""
_LEAST = 1e-290
"""A probability below which nothing is spent at a look."""


class Paths:
    """Scores B(t) + drift * t of paths that have not crossed a bound at the looks so far; B is a Brownian motion."""

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        self._time = 0.0
        self._scores: NDArray[np.float64] = np.zeros(1)
        self._weights: NDArray[np.float64] = np.ones(1)

    def above(self, time: float, z: float) -> float:
        """Return the probability that no bound was crossed before the look at `time`, and Z = score / sqrt(time) is
        above `z` there."""
        mean, std = self._increment(time)
        return float(self._weights @ ndtr((mean - z * math.sqrt(time)) / std))

    def outside(self, time: float, z: float) -> float:
        """Return the probability that no bound was crossed before, and abs(Z) is above `z` there."""
        mean, std = self._increment(time)
        bound = z * math.sqrt(time)
        return float(self._weights @ (ndtr((mean - bound) / std) + ndtr((-bound - mean) / std)))

    def advance(self, time: float, z: float) -> None:
        """Go to the look at `time`, and leave out the paths whose abs(Z) is above `z` there."""
        mean, std = self._increment(time)
        nodes, weights = _legendre()
        bound = min(z, _FARTHEST) * math.sqrt(time)
        scores = bound * nodes
        density = np.exp(-0.5 * ((scores[:, None] - mean) / std) ** 2) @ self._weights / (std * math.sqrt(2 * math.pi))
        self._time, self._scores, self._weights = time, scores, bound * weights * density

    def _increment(self, time: float) -> tuple[NDArray[np.float64], float]:
        """Return the mean of the score at `time` for each present score, and the standard deviation."""
        step = time - self._time
        return self._scores + self.drift * step, math.sqrt(step)


@lru_cache(maxsize=4096)
def nominal_levels(looks: tuple[int, ...], level: float) -> tuple[float, ...]:
    """Return the two-sided nominal significance level of each look of a test at an overall two-sided level.

    A test that rejects where the p-value of a look is below its nominal level has, for normal scores, a false positive
    at any look with probability `level`.

    Args:
        looks: number of seeds at each look, ascending.
        level: the overall level, between 0 and 1.
    """
    fractions = [look / looks[-1] for look in looks]
    paths, spent, levels = Paths(), 0.0, list[float]()
    for time in fractions:
        total = _spent(time, level)
        z = _bound(paths, time, total - spent)
        levels.append(2 * float(ndtr(-z)))
        paths.advance(time, z)
        spent = total
    return tuple(levels)


def _spent(time: float, level: float) -> float:
    """Return the level that is spent up to a fraction of the seeds, both sides together."""
    return 4 * float(ndtr(ndtri(level / 4) / math.sqrt(time)))


def _bound(paths: Paths, time: float, spend: float) -> float:
    """Return the bound of abs(Z) that is crossed for the first time at a look with probability `spend`."""
    if spend < _LEAST:
        return math.inf

    def missing(z: float) -> float:
        return math.log(max(paths.outside(time, z), _LEAST / 10)) - math.log(spend)

    return float(brentq(missing, 0.0, _FARTHEST, xtol=1e-12, rtol=1e-12))


@lru_cache(maxsize=1)
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights on -1..1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
