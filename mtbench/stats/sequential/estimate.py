"""Median-unbiased estimate of a difference after a group-sequential test.

After a test that stops early when the difference is large, the observed difference is too large on average. Results are
put into the stage-wise order: one that crosses the upper bound earlier is higher, and at one look the one with the
higher statistic. The estimate is the difference under which results are above and below the observed one with equal
probability (Fairbanks and Madsen, P values for tests using a repeated significance test design, Biometrika 69, 1982;
Kim and DeMets, Confidence intervals following group sequential tests, Biometrics 43, 1987).

The order is exact for normal scores. A t statistic enters as the normal score of its p-value, as its bounds do, which
is approximate: in simulations 45 to 52 % of the estimates are above the true difference, from 0 to 2.5 standard
deviations. Stops for equivalence are not bounds of the order, as if the test could have gone on.
"""

import math
from collections.abc import Sequence

from scipy.optimize import brentq
from scipy.special import ndtri

from mtbench.stats.contrast import Contrast
from mtbench.stats.sequential.bounds import Paths

__all__ = ["median_unbiased", "stage_wise"]

_WIDE = 60.0
"""Standard deviations around the observed score in which the estimate is searched."""
_SMALLEST_P = 1e-280
"""A p-value that is rounded to 0 has the score of this one."""


def stage_wise(looks: Sequence[int], bounds: Sequence[float], z: float, drift: float) -> float:
    """Return the probability of a result that is higher in the stage-wise order.

    Args:
        looks: number of seeds at each look up to that of the result.
        bounds: bounds of abs(Z) at the looks before that of the result.
        z: Z of the result.
        drift: expected value of Z at the look of the result.
    """
    paths, above = Paths(drift), 0.0
    for look, bound in zip(looks[:-1], bounds, strict=True):
        time = look / looks[-1]
        above += paths.above(time, bound)
        paths.advance(time, bound)
    return above + paths.above(1.0, z)


def median_unbiased(contrast: Contrast, looks: Sequence[int], levels: Sequence[float]) -> float:
    """Return the median-unbiased estimate of the difference; the difference itself if no earlier look had a bound.

    Args:
        contrast: the contrast at the look at which the test ended.
        looks: number of seeds at each look up to that one.
        levels: two-sided nominal significance levels of the looks before that one.
    """
    difference = contrast.difference
    if not any(levels) or math.isnan(contrast.p) or not difference:
        return difference
    z = -float(ndtri(max(contrast.p, _SMALLEST_P) / 2))
    if not z > 0:  # a p of 1 by rounding
        return difference
    bounds = [-float(ndtri(level / 2)) for level in levels]
    drift = brentq(lambda drift: stage_wise(looks, bounds, z, drift) - 0.5, -_WIDE, z + _WIDE, xtol=1e-9)
    return difference * float(drift) / z
