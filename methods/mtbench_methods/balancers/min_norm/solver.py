"""The point of least norm in the convex hull of T gradients."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

__all__ = ["min_norm_weights"]


def min_norm_weights(gramian: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights w on the simplex that minimize |sum_t w_t g_t|^2 = w^T M w, exactly.

    With M = C^T C and any c > 0, minimize |C v|^2 + c^2 (1^T v - 1)^2 over v >= 0. For v = s w with w on the simplex
    the best s gives c^2 q / (q + c^2) with q = w^T M w, which grows with q: so w = v / sum(v) is the point of least
    norm. Non-negative least squares solves this exactly (Lawson & Hanson 1974). C comes from the eigenvalues of M, so
    that dependent gradients do no harm.

    Args:
        gramian: M = G G^T (T, T), the inner products of the gradients.

    Returns:
        w (T,), non-negative, summing to 1. Where all gradients are 0 every w is as good, and w = 1/T.
    """
    tasks = len(gramian)
    trace = float(np.trace(gramian))
    if trace == 0:
        return np.full(tasks, 1 / tasks)
    values, vectors = np.linalg.eigh(gramian / trace)
    factor = np.sqrt(values.clip(min=0))[:, None] * vectors.T
    scale = tasks**-0.5  # c, of the size of the factor's columns
    system = np.vstack([factor, np.full((1, tasks), scale)])
    target = np.zeros(tasks + 1)
    target[-1] = scale
    solution, _ = nnls(system, target)
    weights: NDArray[np.float64] = solution / solution.sum()
    return weights
