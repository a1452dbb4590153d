"""Means of methods over seeds, their variances, and the errors of all differences of two means.

In blocks, the value of a method with a seed is the method's mean, plus the seed's, plus noise. Seeds that are common to
methods drop out of their differences, and a method may lack some seeds: means are fitted by weighted least squares
(Scheffe, The analysis of variance, 1959, chapters 4 and 10). Without blocks each method has its mean alone.

The variance of a method is that of its noise: the sum of its squared residuals, divided by the sum of the weights that
its own values do not have in them. Where all methods have all seeds and one variance, its mean over methods is the
residual mean square of the two-way layout.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Fit", "fit"]

Array = NDArray[np.float64]

_SINGULAR = 1e-10
"""The fraction of the largest eigenvalue below which an eigenvalue is 0."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Means of M methods, with their variances and the errors of differences.

    Attributes:
        means: (M,) up to a common constant, in the unit of the values.
        variances: (M,) of a single value, in the unit squared.
        residual: (M,) degrees of freedom among the residuals; their sum is that of the whole table.
        runs: (M,) numbers of values.
        factors: (M, M) the variance of a difference in units of that of a value of weight 1, if variances are inverse
            to the weights.
        shares: (M, M, M) the factor with which the variance of each method (first axis) enters that of a difference.
        excess: (M, M) the variance of the differences of two methods over the seeds that they share, as a multiple of
            the sum of their variances, at least 1: above 1 where seeds that are good for one are bad for the other.
            Without blocks 1.
        linked: (M, M) True where methods have seeds in common, be it through others, so that their difference is known.
    """

    means: Array
    variances: Array
    residual: Array
    runs: Array
    factors: Array
    shares: Array
    excess: Array
    linked: NDArray[np.bool_]


def fit(values: Array, weights: Array, *, blocks: bool) -> Fit:
    """Return the fit of values (M, S) per method and seed, NaN where there is none.

    Args:
        values: each method has two values or more; in blocks only seeds that methods share count.
        weights: (M,) of each method in the means of seeds, above 0.
        blocks: True to compare values of one seed with each other.
    """
    values = values[:, ~np.isnan(values).all(axis=0)]
    present = ~np.isnan(values)
    known = np.where(present, values, 0.0)
    return _in_blocks(known, present, weights) if blocks else _apart(known, present, weights)


def _apart(known: Array, present: NDArray[np.bool_], weights: Array) -> Fit:
    runs = present.sum(axis=1).astype(np.float64)
    means = known.sum(axis=1) / runs
    squares = (np.where(present, known - means[:, None], 0.0) ** 2).sum(axis=1)
    each = np.eye(len(runs)) / runs
    return Fit(
        means=means,
        variances=squares / (runs - 1),
        residual=runs - 1,
        runs=runs,
        factors=_of_differences(np.diag(1 / (runs * weights))),
        shares=np.stack([_of_differences(np.diag(row)) for row in each]),
        excess=np.ones((len(runs), len(runs))),
        linked=np.ones((len(runs), len(runs)), dtype=bool),
    )


def _in_blocks(known: Array, present: NDArray[np.bool_], weights: Array) -> Fit:
    weight = present * weights[:, None]  # (M, S)
    total = weight.sum(axis=0)  # (S,)
    part = weight / total
    information = np.diag(weight.sum(axis=1)) - part @ weight.T
    inverse = np.linalg.pinv(information, rtol=_SINGULAR, hermitian=True)
    spill = inverse @ part  # (M, S)
    # How much each value (k, s) moves the mean of method m: (M, K, S).
    moved = weight * (inverse[:, :, None] - spill[:, None, :])
    means = np.einsum("mks,ks->m", moved, known)
    of_seeds = (part * (known - means[:, None])).sum(axis=0)
    squares = (np.where(present, known - means[:, None] - of_seeds, 0.0) ** 2).sum(axis=1)
    hat = weight * (np.diag(inverse)[:, None] - 2 * spill + 1 / total + (part * spill).sum(axis=0))
    residual = np.where(present, 1 - hat, 0.0).sum(axis=1)
    variances = squares / residual
    entered = moved.transpose(1, 0, 2)
    return Fit(
        means=means,
        variances=variances,
        residual=residual,
        runs=present.sum(axis=1).astype(np.float64),
        factors=_of_differences(inverse),
        shares=np.stack([_of_differences(each @ each.T) for each in entered]),
        excess=_excess(known, present, variances),
        linked=_linked(present),
    )


def _of_differences(covariance: Array) -> Array:
    """Return the variance of each difference of two of M numbers, from their covariance (M, M)."""
    own = np.diag(covariance)
    return own[:, None] + own - 2 * covariance


def _excess(known: Array, present: NDArray[np.bool_], variances: Array) -> Array:
    both = present[:, None] & present
    shared = both.sum(axis=2)
    apart = np.where(both, known[:, None] - known, 0.0)
    centered = np.where(both, apart - (apart.sum(axis=2) / np.maximum(shared, 1))[:, :, None], 0.0)
    paired = (centered**2).sum(axis=2) / np.maximum(shared - 1, 1)
    sums = variances[:, None] + variances
    ratio: Array = np.divide(paired, sums, out=np.ones_like(sums), where=sums > 0)
    return np.maximum(1.0, ratio)


def _linked(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (M, M) True where a chain of methods with common seeds connects two methods."""
    linked = (present.astype(np.int64) @ present.T.astype(np.int64)) > 0
    while True:
        further = (linked.astype(np.int64) @ linked.astype(np.int64)) > 0
        if (further == linked).all():
            return linked
        linked = further
