"""The result of a run as one number relative to networks that learn one task each, per run, for intervals over runs."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["delta_m", "delta_parts", "relative_error"]


def delta_m(
    values: ArrayLike, single: ArrayLike, higher: ArrayLike, tasks: Sequence[Hashable] | None = None
) -> NDArray[np.float64]:
    """Return the mean relative gain over single-task networks, in %, per seed (S,).

    Each metric has the gain r_m = s_m (M_m - B_m) / |B_m|, where s_m = -1 if lower is better, else 1, and B_m is the
    single-task value (Maninis et al., Attentive single-tasking of multiple tasks, CVPR 2019, equation 3, for metrics
    above 0; for a negative metric, as a logarithm may be, the gain is relative to its absolute value, so that positive
    is always good). The result is 100 times the mean over all metrics, or over the means of the tasks. It is computed
    within each seed, and single-task runs vary like any others: their noise is in the result.

    Args:
        values: (S, M) the method's metrics.
        single: (S, M) metrics of the single-task runs of the same seeds; or (M,), the same for all seeds.
        higher: (M,) True where higher is better.
        tasks: (M,) the task of each metric; if given, the mean is taken within each task, then over tasks.

    Returns:
        (S,); NaN where a seed lacks a value, or a single-task metric is 0.
    """
    signs = np.where(np.asarray(higher, dtype=bool), 1.0, -1.0)
    metrics, base = _both(values, single)
    ratios = _ratios(signs * (metrics - base), np.abs(base))
    if tasks is not None:
        members = [[place for place, each in enumerate(tasks) if each == task] for task in dict.fromkeys(tasks)]
        ratios = np.stack([ratios[..., places].mean(axis=-1) for places in members], axis=-1)
    return _mean(ratios)


def delta_parts(
    values: ArrayLike, single: ArrayLike, higher: ArrayLike, tasks: Sequence[Hashable] | None = None
) -> NDArray[np.float64]:
    """Return the part (S, M) of each metric in `delta_m`, in points: 100 r_m over the number of terms.

    For the mean over all M metrics it is 100 r_m / M; for the mean over T tasks 100 r_m / (T K) for a metric of a task
    with K metrics. The parts of a seed sum to its Δm.
    """
    signs = np.where(np.asarray(higher, dtype=bool), 1.0, -1.0)
    metrics, base = _both(values, single)
    ratios = _ratios(signs * (metrics - base), np.abs(base))
    names: list[Hashable] = list(range(ratios.shape[-1])) if tasks is None else list(tasks)
    terms = len(set(names)) * np.array([names.count(name) for name in names], dtype=np.float64)
    parts: NDArray[np.float64] = 100 * ratios / terms
    return parts


def relative_error(values: ArrayLike, single: ArrayLike) -> NDArray[np.float64]:
    """Return the mean relative change of the error rate against single-task networks, in %, per seed (S,).

    (100 / T) sum_t (e_t - e_t,single) / e_t,single with e = 100 - accuracy; negative is good. Near 100 % it shows
    differences that the relative change of accuracies hides: from 96 % to 97 % the accuracy gains 1 %, and the error
    loses 25 %.

    Args:
        values: (S, T) accuracies of the method in %.
        single: (S, T) accuracies of the single-task runs of the same seeds; or (T,), the same for all seeds.

    Returns:
        (S,); NaN where a seed lacks a value, or a single-task network makes no error.
    """
    metrics, base = _both(values, single)
    return _mean(_ratios(base - metrics, 100 - base))


def _both(values: ArrayLike, single: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    metrics = np.asarray(values, dtype=np.float64)
    return metrics, np.broadcast_to(np.asarray(single, dtype=np.float64), metrics.shape)


def _ratios(change: NDArray[np.float64], base: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return change / base; NaN where a base is 0."""
    ratios: NDArray[np.float64] = np.divide(change, base, out=np.full(change.shape, np.nan), where=base != 0)
    return ratios


def _mean(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 100 times the mean over the last axis."""
    means: NDArray[np.float64] = 100 * ratios.mean(axis=-1)
    return means
