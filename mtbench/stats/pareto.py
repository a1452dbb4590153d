"""Points in the space of tasks: the front, its hypervolume, its stability, and tests of dominance.

A point is a setting with one value per task, such as one choice of task weights. A point dominates another if it is no
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
    """Result of a test that some point is better in every task than chance explains.

    Attributes:
        p: (K,) p-value of each point for being better in every task; NaN if it cannot be tested.
        adjusted: (K,) the p-values after Holm's correction over the points.
        dominated: True if any adjusted p is below 5 %.
        by: the point of the smallest p if dominated, else None.
    """

    p: tuple[float, ...]
    adjusted: tuple[float, ...]
    dominated: bool
    by: int | None


def hypervolume(
    points: ArrayLike, reference: ArrayLike, *, maximize: Directions = True, ideal: ArrayLike | None = None
) -> float:
    """Return the volume of the set that is better than the reference and no better than some point.

    This is the hypervolume of Zitzler and Thiele, PPSN 1998.

    Args:
        points: (P, T); rows with a NaN are left out, and points that are not better than the reference in every task
            add nothing.
        reference: (T,) a poor value per task, such as the chance level.
        maximize: True for tasks where higher is better.
        ideal: (T,) the best possible value per task; if given, the result is the fraction of the box between it and the
            reference.

    Returns:
        the volume in the product of the tasks' units, or the fraction from 0 to 1; 0 without points.

    Raises:
        ValueError: the ideal is not better than the reference in every task.
    """
    known = _known(points)
    corner = np.asarray(reference, dtype=np.float64)
    directions = _directions(maximize, known.shape[1])
    volume = float(moocore.hypervolume(known, ref=corner, maximise=directions)) if len(known) else 0.0
    if ideal is None:
        return volume
    edges = (np.asarray(ideal, dtype=np.float64) - corner) * np.where(directions, 1, -1)
    if not (edges > 0).all():
        raise ValueError(f"the ideal {ideal!r} is not better than the reference {reference!r} in every task")
    return volume / float(edges.prod())


def front(points: ArrayLike, *, maximize: Directions = True) -> NDArray[np.bool_]:
    """Return a mask (P,) of the points (P, T) that no other dominates.

    Equal points are on the front together; a point with a NaN is not.
    """
    values = np.atleast_2d(np.asarray(points, dtype=np.float64))
    known = ~np.isnan(values).any(axis=1)
    mask = np.zeros(len(values), dtype=bool)
    if known.any():
        directions = _directions(maximize, values.shape[1])
        mask[known] = moocore.is_nondominated(values[known], maximise=directions, keep_weakly=True)
    return mask


def front_probability(
    points: ArrayLike,
    generator: np.random.Generator,
    *,
    matched: bool = True,
    maximize: Directions = True,
    resamples: int = 2000,
) -> NDArray[np.float64]:
    """Return the stability of a front: the fraction of resamples of the runs in which each point is on it.

    Whole runs are resampled with replacement, their tasks together. For few runs the bootstrap underestimates the
    variance (2/3 of it for three runs), so that fractions are too close to 0 and 1.

    Args:
        points: (P, S, T) values of points, runs and tasks; a run with a NaN is missing.
        generator: draws the runs.
        matched: True if run s of every point has the same seed; then seeds are resampled, for all points alike.
        maximize: True for tasks where higher is better.
        resamples: number of resamples.

    Returns:
        (P,), NaN for a point without runs. A point whose runs are all missing in a resample is not on the front there.
    """
    values = np.asarray(points, dtype=np.float64)
    known = np.asarray(np.isfinite(values).all(axis=2), dtype=np.bool_)  # (P, S)
    counts = _draws(known, generator, matched, resamples)  # (B, P, S)
    weights = counts.sum(axis=2)
    sums = np.einsum("bps,pst->bpt", counts, np.where(known[:, :, None], values, 0.0))
    missing = np.full(sums.shape, np.nan)
    means = np.divide(sums, weights[:, :, None], out=missing, where=weights[:, :, None] > 0)
    fractions: NDArray[np.float64] = np.mean([front(drawn, maximize=maximize) for drawn in means], axis=0)
    return np.where(known.any(axis=1), fractions, np.nan)


def dominance(
    method: ArrayLike, points: Sequence[ArrayLike], *, matched: bool, maximize: Directions = True
) -> Dominance:
    """Test whether a method is worse in every task than one of several points, such as those of a front.

    For each point and task there is a one-sided t-test. The p of a point is the largest over tasks, since all must hold
    (an intersection-union test, which needs no correction: Berger, Multiparameter hypothesis testing and acceptance
    sampling, Technometrics 24, 1982). Over points Holm's correction is applied, since any one suffices.

    Args:
        method: (S, T) values of its runs and tasks, NaN if missing.
        points: (S_k, T) each.
        matched: True if run s has the same seed everywhere, so that tests are paired and every S_k is S; otherwise they
            are Welch's.
        maximize: True for tasks where higher is better.
    """
    signs = np.where(_directions(maximize, np.shape(method)[1]), 1.0, -1.0)
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


def _directions(maximize: Directions, tasks: int) -> NDArray[np.bool_]:
    return np.broadcast_to(np.asarray(maximize, dtype=bool), tasks)


def _draws(
    known: NDArray[np.bool_], generator: np.random.Generator, matched: bool, resamples: int
) -> NDArray[np.float64]:
    """Return the number of times that each run of each point is drawn in each resample, (B, P, S)."""
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
