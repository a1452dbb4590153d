"""Mean ranks of methods, and the agreement of their order with the order in a paper."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtbench.stats.summary import Interval

__all__ = ["Agreement", "kendall_tau", "mean_ranks", "order_agreement"]

_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The agreement of two orders of methods.

    Attributes:
        methods: number of methods that have a place in both orders.
        tau: Kendall's tau-b of the paper's values and our means, 1 for one order, -1 for its reverse; NaN if either
            has fewer than two distinct values.
        interval: the central fraction `confidence` of tau over resampled runs; None if there is none.
        same: the fraction of resamples with tau = 1; NaN if there is none.
        resamples: number of resamples in which every method had a run and tau was defined.
    """

    methods: int
    tau: float
    interval: Interval | None
    same: float
    resamples: int


def kendall_tau(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return Kendall's tau-b of values (M,) with each of other values (..., M), as an array (...).

    (concordant - discordant pairs) / sqrt(pairs untied in the first x pairs untied in the second) (Kendall, The
    treatment of ties in ranking problems, Biometrika 33, 1945); NaN where either has no untied pair.
    """
    left, right = _signs(np.asarray(first, dtype=np.float64)), _signs(np.asarray(second, dtype=np.float64))
    agreeing = (left * right).sum(axis=-1)
    untied = np.sqrt(np.abs(left).sum(axis=-1) * np.abs(right).sum(axis=-1))
    tau: NDArray[np.float64] = np.divide(agreeing, untied, out=np.full(agreeing.shape, np.nan), where=untied > 0)
    return tau


def order_agreement(
    paper: ArrayLike,
    runs: ArrayLike,
    generator: np.random.Generator,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Agreement:
    """Return Kendall's tau between a paper's values and the means of our runs, and the stability of our order.

    Seeds are resampled with replacement for all methods together, so that runs of one seed stay together. The paper's
    values are taken as printed. For few runs the resamples underestimate the variance.

    Args:
        paper: (M,) the paper's value per method, NaN if it has none.
        runs: (M, S) our value per method and seed, NaN for a missing run; the good direction is the paper's.
        generator: draws the seeds.
        resamples: number of resamples.
        confidence: the fraction of resamples in the interval.
    """
    theirs, ours = np.asarray(paper, dtype=np.float64), np.asarray(runs, dtype=np.float64)
    placed = ~np.isnan(theirs) & ~np.isnan(ours).all(axis=1)
    theirs, ours = theirs[placed], ours[placed]
    seeds = ours.shape[1]
    counts = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) if seeds else np.ones((0, 0))
    drawn = kendall_tau(theirs, _means(ours, counts))
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]) if drawn.size else (math.nan,) * 2
    return Agreement(
        methods=len(theirs),
        tau=float(kendall_tau(theirs, _means(ours, np.ones((1, seeds))))[0]),
        interval=(float(low), float(high)) if drawn.size else None,
        same=float((drawn > 1 - 1e-9).mean()) if drawn.size else math.nan,
        resamples=drawn.size,
    )


def mean_ranks(values: ArrayLike, higher: ArrayLike) -> NDArray[np.float64]:
    """Return the mean over metrics of the rank (R,) of each of R rows among all of them, 1 for the best.

    Rows with equal values get the mean of the ranks that they take together. Values are compared at full precision,
    never as printed.

    Args:
        values: (R, M) metrics.
        higher: (M,) True where higher is better.

    Returns:
        (R,); NaN for a row that lacks a value, which is not counted among the others.
    """
    array = np.asarray(values, dtype=np.float64) * np.where(np.asarray(higher, dtype=bool), 1.0, -1.0)
    complete = ~np.isnan(array).any(axis=1)
    from scipy.stats import rankdata  # 0.5 s, which tables without ranks need not spend

    ranks = np.full(len(array), np.nan)
    if complete.any() and array.shape[1]:
        ranks[complete] = rankdata(-array[complete], axis=0).mean(axis=1)
    return ranks


def _means(ours: NDArray[np.float64], counts: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return means (B, M) of runs (M, S) weighted by counts (B, S); all NaN if a method has no run."""
    known = ~np.isnan(ours)
    weights = counts @ known.T.astype(np.float64)
    sums = counts @ np.where(known, ours, 0.0).T
    means: NDArray[np.float64] = np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0)
    means[np.isnan(means).any(axis=1)] = np.nan
    return means


def _signs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sign of each pair's difference (..., M (M - 1) / 2); 0 for a tie, NaN if either is."""
    first, second = np.triu_indices(values.shape[-1], k=1)
    left, right = values[..., first], values[..., second]
    # Means that are equal up to rounding are tied.
    tied = np.abs(left - right) <= _ROUNDING * np.maximum(np.abs(left), np.abs(right))
    signs: NDArray[np.float64] = np.where(tied, 0.0, np.sign(left - right))
    return signs
