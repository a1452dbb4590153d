"""Variation over runs and test images if an answer is about a triplet of images.

Triplets with a common image are dependent: an image that is hard to embed makes all of its triplets wrong. Another test
set would have other images, so images are resampled, and not triplets.
"""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtbench.stats.resample import Resampled, resampled_sums

__all__ = ["triplet_difference"]


def triplet_difference(
    first: ArrayLike,
    second: ArrayLike,
    images: ArrayLike,
    generator: np.random.Generator,
    *,
    tasks: ArrayLike | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Resampled:
    """Return the percentile interval of the difference of mean accuracies, with runs and images both resampled.

    With c_i the number of times that image i is drawn in as many draws with replacement as there are images, the
    resampled mean is

        mean + (1 / N) sum_i (c_i - 1) scale S_i,  S_i = sum over the triplets t of image i of e_t,

    with e_t the gain of triplet t minus the mean gain of its task. With scale = 1 this is the pigeonhole bootstrap
    (Owen, Annals of Applied Statistics 1, 2007), in which the weights of a triplet's images are multiplied, to first
    order in c - 1. It counts a pair of triplets as often as they have images in common, and so each triplet three
    times. The scale corrects this: it is chosen so that the variance over images is the one that counts each pair once,

        V = sum over ordered pairs (t, u) with a common image of e_t e_u / N^2

    (Fafchamps and Gubert, Journal of Development Economics 83, 2007; Aronow, Samii and Assenova, Political Analysis 23,
    2015). V is computed by inclusion and exclusion over images, pairs of images and whole triplets (Cameron, Gelbach
    and Miller, Journal of Business and Economic Statistics 29, 2011), and divided by the
    fraction of pairs without a common image, since the deviations from a mean that all triplets have a part in are too
    small by that factor. If no two triplets have an image in common, scale^2 is 1/3 and the variance is that of
    `mtbench.stats.resample.accuracy_difference` times N / (N - 1). By chance V can be smaller than the triplets'
    common images allow, or negative: scale^2 is at least 1/3. Where more than half of all pairs have a common image,
    as among M < 15 images, V rests on too few pairs, and scale^2 is M (M - 1) / (M - 3)^2: this gives the standard
    error of the mean over M images where all their triplets are there and one image of each decides.

    Runs are resampled as in `mtbench.stats.resample.accuracy_difference`, with the same limits for few runs.

    Args:
        first: (S, N) 1 if run s is correct on triplet n, else 0.
        second: (S, N) the same for the second method, with the same seeds and triplets.
        images: (N, 3) the numbers of the images of each triplet, of which two may be equal.
        generator: draws runs and images.
        tasks: (N,) int, the task of each triplet; None if all are of one task.
        resamples: number of resamples.
        confidence: the fraction of resamples in the interval.

    Raises:
        ValueError: the two are not of one shape (S, N), or empty, or the images are not (N, 3).
    """
    left, right = np.atleast_2d(np.asarray(first, np.float64)), np.atleast_2d(np.asarray(second, np.float64))
    found = np.asarray(images, np.int64)
    if left.shape != right.shape or left.ndim != 2 or not left.size or found.shape != (left.shape[1], 3):
        raise ValueError(
            f"paired runs need answers (S, N) and images (N, 3), not {left.shape}, {right.shape} and {found.shape}"
        )
    gains = (left - right).T  # (N, S) in -1..1
    count, runs = gains.shape
    task = np.zeros(count, np.int64) if tasks is None else np.unique(np.asarray(tasks), return_inverse=True)[1]
    means = np.stack([np.bincount(task, gains[:, run]) for run in range(runs)], axis=1) / np.bincount(task)[:, None]
    rest = gains - means[task]
    numbers, places = np.unique(found, return_inverse=True)
    places = np.sort(places.reshape(count, 3), axis=1)
    sums = np.stack([_totals(places, 1, rest[:, run]) for run in range(runs)], axis=1)  # (images, S)
    scale = _scale(places, rest.mean(axis=1), sums.mean(axis=1))
    # The mean replaces an image: each draw of images contains all of it, since the counts sum to their number.
    whole = scale * sums + gains.sum(axis=0) / len(numbers)
    drawn = resampled_sums(whole.astype(np.float32), generator, resamples) * (100 / gains.size)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Resampled(
        difference=100 * float(gains.mean()),
        std=float(drawn.std(ddof=1)),
        interval=(float(low), float(high)),
        runs=runs,
        images=len(numbers),
    )


def _scale(places: NDArray[np.int64], rest: NDArray[np.float64], sums: NDArray[np.float64]) -> float:
    """Return the scale of the images' contribution, from the deviations (N,) of triplets and their sums over images."""
    one = np.ones(len(places))
    joined, pairs = (
        sum((-1) ** (size + 1) * float(np.square(_totals(places, size, values)).sum()) for size in (1, 2, 3))
        for values in (rest, one)
    )
    apart = 1 - pairs / len(places) ** 2
    counted = float(np.square(sums).sum())
    if not counted:
        return 1.0
    if apart < 0.5:
        images = int(places.max()) + 1
        return float(np.sqrt(images * (images - 1)) / max(1, images - 3))
    return float(np.sqrt(np.clip(joined / apart / counted, 1 / 3, None)))


def _totals(places: NDArray[np.int64], size: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the values of the triplets that contain each set of `size` different images of any triplet.

    Images (N, 3) are sorted within each triplet and counted from 0.
    """
    images = int(places.max()) + 1
    keys, weights = [], []
    for columns in combinations(range(3), size):
        chosen = places[:, columns]
        # An image that occurs twice in a triplet counts once: by the last of its columns.
        new = np.ones(len(places), bool)
        for column in columns:
            new &= (column == 2) | (places[:, column] != places[:, min(column + 1, 2)])
        keys.append((chosen @ (images ** np.arange(size)))[new])
        weights.append(values[new])
    inverse = np.unique(np.concatenate(keys), return_inverse=True)[1]
    return np.asarray(np.bincount(inverse, np.concatenate(weights)), np.float64)
