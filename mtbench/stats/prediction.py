"""The interval in which one further run is expected."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

__all__ = ["prediction_interval"]


def prediction_interval(values: Sequence[float], *, level: float = 0.05) -> tuple[float, float] | None:
    """Return the interval that contains one further value with probability 1 - `level`; None of fewer than two values.

    It is mean ± t s sqrt(1 + 1/n), with the quantile t of Student's distribution with n - 1 degrees of freedom and the
    standard deviation s (divisor n - 1): Hahn, Factors for calculating two-sided prediction intervals for samples from
    a normal distribution, J. American Statistical Association 64, 1969, for one future value.

    Args:
        values: n finite values, from one normal distribution.
    """
    n = len(values)
    if n < 2:
        return None
    mean, std = float(np.mean(values)), float(np.std(values, ddof=1))
    reach = float(stdtrit(n - 1, 1 - level / 2)) * std * math.sqrt(1 + 1 / n)
    return mean - reach, mean + reach
