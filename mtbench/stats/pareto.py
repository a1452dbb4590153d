"""Points in the space of tasks: the front, the volume below it, how sure it is, and who is dominated by it.

A point is a setting with one value per task, such as one weighting of the losses. A point dominates another if it is no
worse in any task and better in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtbench.stats.contrast import LEVEL, holm, paired, welch

__all__ = ["Directions", "Dominance", "dominance", "front", "front_probability", "hypervolume"]

Directions: TypeAlias = bool | Sequence[bool]
"""True where higher is better: for all tasks, or one after the other."""


@dataclass(frozen=True, kw_only=True)
class Dominance:
    """Result of a test of whether points that are better in every task are so by more than chance.

    Attributes:
        p: (K,) per point, of the test that it is better in every task; NaN where that cannot be tested.
        adjusted: (K,) the same after Holm's correction over the points.
        dominated: whether any adjusted p is below 5 %.
        by: the point of the smallest p if dominated, else None.
    """

    p: tuple[float, ...]
    adjusted: tuple[float, ...]
    dominated: bool
    by: int | None


def hypervolume(
    points: ArrayLike, reference: ArrayLike, *, maximise: Directions = True, ideal: ArrayLike | None = None
) -> float:
    """Return the volume of what is better than the reference and no better than some point (Zitzler and Thiele, PPSN
    1998).

    Args:
        points: (P, T); rows with a NaN are left out, and those that are not better than the reference in every task
            add nothing.
        reference: (T,) a poor value per task, such as chance.
        maximise: the good directions.
        ideal: (T,) the best possible value per task; if given, the result is the share of the box between it and
            the reference.

    Returns:
        In the product of the tasks' units, or the share from 0 to 1; 0 without points.

    Raises:
        ValueError: if the ideal is not better than the reference in every task.
    """
    known = _known(points)
    corner = np.asarray(reference, dtype=np.float64)
    directions = _directions(maximise, known.shape[1])
    volume = float(moocore.hypervolume(known, ref=corner, maximise=directions)) if len(known) else 0.0
    if ideal is None:
        return volume
    edges = (np.asarray(ideal, dtype=np.float64) - corner) * np.where(directions, 1, -1)
    if not (edges > 0).all():
        raise ValueError(f"the ideal {ideal!r} is not better than the reference {reference!r} in every task")
    return volume / float(edges.prod())


def front(points: ArrayLike, *, maximise: Directions = True) -> NDArray[np.bool_]:
    """Return a mask (P,) of the points (P, T) that no other dominates.

    Equal points are on the front together; one with a NaN is not.
    """
    values = np.atleast_2d(np.asarray(points, dtype=np.float64))
    known = ~np.isnan(values).any(axis=1)
    mask = np.zeros(len(values), dtype=bool)
    if known.any():
        directions = _directions(maximise, values.shape[1])
        mask[known] = moocore.is_nondominated(values[known], maximise=directions, keep_weakly=True)
    return mask


def front_probability(
    points: ArrayLike,
    generator: np.random.Generator,
    *,
    matched: bool = True,
    maximise: Directions = True,
    resamples: int = 2000,
) -> NDArray[np.float64]:
    """Return how sure a front is: the fraction of resamples of the runs in which each point is on it.

    Whole runs are drawn anew with replacement, their tasks together. Of few runs the bootstrap shows too little of the
    chance (2/3 of the variance for three), so that shares near 0 and 1 are nearer than they should be.

    Args:
        points: (P, S, T) values of points, runs and tasks; a run with a NaN is missing.
        generator: draws the runs.
        matched: whether run s of every point has the same seed; then seeds are drawn, for all points alike.
        maximise: the good directions.
        resamples: how many times.

    Returns:
        (P,), NaN for a point without runs. Where the seeds drawn leave a point without runs, it is not on the front.
    """
    values = np.asarray(points, dtype=np.float64)
    known = np.asarray(np.isfinite(values).all(axis=2), dtype=np.bool_)  # (P, S)
    counts = _draws(known, generator, matched, resamples)  # (B, P, S)
    weights = counts.sum(axis=2)
    sums = np.einsum("bps,pst->bpt", counts, np.where(known[:, :, None], values, 0.0))
    missing = np.full(sums.shape, np.nan)
    means = np.divide(sums, weights[:, :, None], out=missing, where=weights[:, :, None] > 0)
    shares: NDArray[np.float64] = np.mean([front(drawn, maximise=maximise) for drawn in means], axis=0)
    return np.where(known.any(axis=1), shares, np.nan)


def dominance(
    method: ArrayLike, points: Sequence[ArrayLike], *, matched: bool, maximise: Directions = True
) -> Dominance:
    """Test whether a method is worse in every task than one of several points, such as those of a front.

    Per point and task a one-sided t-test; the p of a point is the largest over tasks, for all must hold (an
    intersection-union test, which needs no correction: Berger, Multiparameter hypothesis testing and acceptance
    sampling, Technometrics 24, 1982). Over points it is Holm's correction, for any one suffices.

    Args:
        method: (S, T) values of its runs and tasks, NaN where there is none.
        points: (S_k, T) each.
        matched: whether run s has the same seed everywhere, so that tests are paired and every S_k is S; if
            not they are Welch's.
        maximise: the good directions.
    """
    signs = np.where(_directions(maximise, np.shape(method)[1]), 1.0, -1.0)
    own = np.asarray(method, dtype=np.float64) * signs
    test = paired if matched else welch
    ps = []
    for point in points:
        rival = np.asarray(point, dtype=np.float64) * signs
        # max() of a list with a NaN depends on its order; NumPy's keeps the NaN.
        ps.append(float(np.max([test(rival[:, task], own[:, task]).greater for task in range(own.shape[1])])))
    adjusted = holm(ps)
    dominated = bool((adjusted < LEVEL).any())
    return Dominance(
        p=tuple(ps),
        adjusted=tuple(adjusted.tolist()),
        dominated=dominated,
        by=int(np.nanargmin(ps)) if dominated else None,
    )


def _known(points: ArrayLike) -> NDArray[np.float64]:
    values = np.atleast_2d(np.asarray(points, dtype=np.float64))
    return values[~np.isnan(values).any(axis=1)]


def _directions(maximise: Directions, tasks: int) -> NDArray[np.bool_]:
    return np.broadcast_to(np.asarray(maximise, dtype=bool), tasks)


def _draws(
    known: NDArray[np.bool_], generator: np.random.Generator, matched: bool, resamples: int
) -> NDArray[np.float64]:
    """Return how often each run of each point counts in each resample, (B, P, S)."""
    points, runs = known.shape
    if matched:
        seeds = generator.multinomial(runs, np.full(runs, 1 / runs), size=resamples)
        return np.where(known[None], seeds[:, None, :], 0).astype(np.float64)
    counts = np.zeros((resamples, points, runs))
    for point, its in enumerate(known):
        n = np.count_nonzero(its)
        if n:
            counts[:, point, its] = generator.multinomial(n, np.full(n, 1 / n), size=resamples)
    return counts
