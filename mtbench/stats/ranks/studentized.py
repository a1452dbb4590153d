"""Quantiles of the studentized range.

The range of M standard normal values, divided by an independent standard deviation of v degrees of freedom, is below q
with the probability E[W(q s)] over s = sqrt(chi2_v / v), where W(w) = M E[(Phi(z) - Phi(z - w))^(M - 1)] over a
standard normal z (Lund and Lund, Algorithm AS 190, Applied Statistics 32, 1983). Both expectations are Gauss-Legendre
sums. `scipy.stats.studentized_range` has the same numbers, but its adaptive integration takes 0.4 s for one quantile,
and the import of scipy.stats as long again.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr

__all__ = ["range_quantile"]

_NODES = 160
_REACH = 8.0
"""The normal density is integrated from minus this to this."""


@lru_cache(maxsize=1024)
def range_quantile(level: float, methods: int, freedom: float) -> float:
    """Return the value that the studentized range of so many means is below with the probability `level`.

    Args:
        level: a probability below 1.
        methods: number of means, at least 2.
        freedom: degrees of freedom of the standard deviation, at least 1.
    """
    nodes, weights = _legendre(_NODES)
    z, dz = _REACH * nodes, _REACH * weights * np.exp(-((_REACH * nodes) ** 2) / 2) / np.sqrt(2 * np.pi)
    v, dv = (nodes + 1) / 2, weights / 2
    u, du = v**3 * (10 - 15 * v + 6 * v**2), 30 * (v * (1 - v)) ** 2 * dv  # probabilities, close at both ends
    s, below = np.sqrt(2 * gammaincinv(freedom / 2, u) / freedom), ndtr(z)

    def excess(q: float) -> float:
        inside = below - ndtr(z - q * s[:, None])  # (s, z)
        return float(du @ (methods * inside ** (methods - 1) @ dz)) - level

    high = 8.0
    while excess(high) < 0:
        high *= 4
    return float(brentq(excess, 0.0, high, xtol=1e-10))


@lru_cache(maxsize=2)
def _legendre(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights
