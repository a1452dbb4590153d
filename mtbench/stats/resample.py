"""Variation over runs and test images together: intervals for other seeds and another test set.

An interval over runs is for the present test set. If test predictions are known, images can be resampled too: both
methods answer the same images, and runs of one seed belong together, so both are resampled in pairs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtbench.stats.summary import Interval

__all__ = ["Resampled", "accuracy_difference", "resampled_sums"]

_AT_ONCE = 2_000_000
"""Number of images drawn before they are counted: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """A difference of accuracies and its variation over runs and images.

    Attributes:
        difference: the difference of the mean accuracies, first minus second, in percentage points.
        std: standard deviation of the resampled differences, in percentage points.
        interval: their central fraction `confidence`, in percentage points.
        runs: number of runs.
        images: number of images.
    """

    difference: float
    std: float
    interval: Interval
    runs: int
    images: int


def accuracy_difference(
    first: ArrayLike,
    second: ArrayLike,
    generator: np.random.Generator,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Resampled:
    """Return the percentile interval of the difference of mean accuracies, with runs and images both resampled.

    Rows and columns are resampled independently of each other with replacement, which never underestimates the variance
    for many of both (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007): it is up to three times the
    true one if answers differ by chance within each run and image, and a nominal 95 % then covers 98. For few runs that
    differ more than their images do it is too small: S resampled runs show (S - 1) / S of the variance between runs, so
    that for S < 10 the t-interval over runs is the one to report, and this one beside it shows the contribution of the
    images. A single run is not resampled: then only images vary, and the interval is for these two networks.

    Args:
        first: (S, N) 1 if run s is correct on image n, else 0; for an image with several tasks, the fraction of them in
            0..1.
        second: (S, N) the same for the second method, with the same seeds and images.
        generator: draws runs and images.
        resamples: number of resamples.
        confidence: the fraction of resamples in the interval.

    Raises:
        ValueError: the two are not of one shape (S, N), or empty.
    """
    left, right = np.atleast_2d(np.asarray(first, np.float32)), np.atleast_2d(np.asarray(second, np.float32))
    if left.shape != right.shape or left.ndim != 2 or not left.size:
        raise ValueError(f"paired runs and images need one shape (S, N), not {left.shape} and {right.shape}")
    gains = left - right  # (S, N) in -1..1
    # For one task, sums over images are whole numbers below 2^24: exact in float32.
    drawn = resampled_sums(gains.T, generator, resamples) * (100 / gains.size)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Resampled(
        difference=100 * float(gains.mean(dtype=np.float64)),
        std=float(drawn.std(ddof=1)),
        interval=(float(low), float(high)),
        runs=gains.shape[0],
        images=gains.shape[1],
    )


def resampled_sums(values: NDArray[np.float32], generator: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    """Return the sums (resamples,) of values (N, S) over rows and columns that are both resampled with replacement."""
    count, runs = values.shape
    drawn = np.empty(resamples)
    step = max(1, _AT_ONCE // count)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        per_run = _counts(generator, size, count).astype(np.float32) @ values  # (size, S)
        drawn[start : start + size] = (_counts(generator, size, runs) * per_run).sum(axis=1)
    return drawn


def _counts(generator: np.random.Generator, size: int, n: int) -> NDArray[np.int64]:
    """Return the number of times that each of n is drawn in n draws with replacement, (size, n): multinomial counts."""
    drawn = generator.integers(n, size=(size, n))
    drawn += n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
