"""Weights for which the decrease of every loss is a given power of its weight."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..gramian import ROUNDING, Matrix, Vector, length
from ..min_norm.solver import projected, shortest

__all__ = ["FairWeights", "fair_weights"]

STEPS = 200
SMALL = 1e-3
"""The smallest initial coefficient, relative to the largest."""
NEAR, END = 1e-3, 1e-14
MET = 1e-8
"""The largest final difference of the two sides, relative to the sum of the terms of the left one."""


@dataclass(frozen=True, kw_only=True)
class FairWeights:
    """Weights of gradients, and their validity.

    Attributes:
        weights: (M,) the weights.
        blocked: (M,) bool, the tasks whose loss can fall only if another's rises, for which there is no solution.
        solved: True if all others meet the equation to `MET`.
    """

    weights: Vector
    blocked: NDArray[np.bool_]
    solved: bool


def fair_weights(cosines: Matrix, lengths: Vector, alpha: float) -> FairWeights:
    """Solve (M w)_t = w_t^(-1/alpha) for w > 0, M the inner products of gradients.

    If unit gradients cancel, sum_t z_t u_t = 0 with z >= 0, there are no weights for the tasks with z_t > 0. In the
    limit of gradients that nearly cancel, the losses of these tasks do not change. The weights of the others solve the
    equation for the part of their gradients that is orthogonal to the gradients of the former, which get the smallest
    weights that remove the other part.

    Args:
        cosines: C (M, M).
        lengths: |g_t| (M,).
        alpha: at least .5; the smaller it is, the nearer all decreases are to 0 for conflicting gradients.
    """
    scaled, solved = _balanced(cosines, lengths, alpha)
    blocked = np.zeros(len(lengths), dtype=bool) if solved else _blocked(cosines)
    if blocked.any():
        scaled, solved = np.zeros(len(lengths)), True
        inner = cosines[np.ix_(blocked, blocked)]
        taken = -np.linalg.pinv(inner, (len(lengths) * ROUNDING) ** 2, hermitian=True) @ cosines[blocked]
        if not blocked.all():
            rest = (cosines + cosines[:, blocked] @ taken)[np.ix_(~blocked, ~blocked)]
            sines = np.sqrt(rest.diagonal())
            found, solved = _balanced(rest / sines[:, None] / sines, lengths[~blocked] * sines, alpha)
            scaled[~blocked] = found / sines
            scaled[blocked] = taken[:, ~blocked] @ scaled[~blocked]
    return FairWeights(weights=scaled / lengths, blocked=blocked, solved=solved)


def _balanced(cosines: Matrix, lengths: Vector, alpha: float) -> tuple[Vector, bool]:
    """Solve (C v)_t v_t^q = |g_t|^(q - 1) for v > 0, v_t = |g_t| w_t and q = 1 / alpha.

    The solution is unique: it minimizes a strictly convex function.

    Returns:
        v (M,), and True if it is the solution.
    """
    logarithms, power = np.log(lengths), 1 / alpha
    v = _start(cosines, np.exp((power - 1) / (power + 1) * logarithms))
    return (np.ones_like(lengths), False) if v is None else _newton(cosines, logarithms, power, v)


def _start(cosines: Matrix, v: Vector) -> Vector | None:
    """Return the solution v for orthogonal gradients, or other v > 0, with C v > 0; None if there are none."""
    if (cosines @ v > v / 10).all():
        return v
    largest = float(v.max())
    found = shortest(cosines, np.maximum(v / largest, SMALL))
    if found.cancelling is not None or not found.solved:
        return None
    start: Vector = largest * np.maximum(found.coefficients, SMALL / (2 * len(v)))
    return start


def _newton(cosines: Matrix, logarithms: Vector, power: float, v: Vector) -> tuple[Vector, bool]:
    """Run Newton's method in the logarithms of both sides, among v > 0 with C v > 0.

    A step multiplies every v_t by a factor, and for gradients with little conflict one or two steps suffice. If that
    would not bring the sides nearer, v is moved along the straight line instead, on which C v > 0 is kept as in an
    interior-point method.
    """
    sizes, count = np.abs(cosines), len(v)
    goal = (power - 1) * logarithms
    products = cosines @ v
    for _ in range(STEPS):
        apart = goal - power * np.log(v) - np.log(products)
        worst = np.abs(apart).max()
        if worst < NEAR and (np.abs(apart) * products <= END * (count * (sizes @ v) + products)).all():
            break
        root = np.sqrt(v / products)
        matrix = root[:, None] * cosines * root
        matrix.flat[:: count + 1] += power
        change = root * np.linalg.solve(matrix, root * products * apart)
        for size, after in _steps(v, change, cosines @ change / products):
            found_products = cosines @ after
            if min(found_products.min(), after.min()) <= 0:
                continue
            left = goal - power * np.log(after) - np.log(found_products)
            if np.abs(left).max() <= (1 - size / 4) * worst:
                break
        else:
            break
        v, products = after, found_products
    needed = np.exp(goal - power * np.log(v))
    return v, bool((np.abs(products - needed) <= MET * (sizes @ v)).all())


def _steps(v: Vector, change: Vector, falls: Vector) -> Iterator[tuple[float, Vector]]:
    """Yield steps to try, each as a fraction of Newton's step, and the resulting v."""
    rates = change / v
    size = min(1.0, 4 / max(rates.max(), 1))
    yield size, v * np.exp(size * rates)
    yield size / 2, v * np.exp(size / 2 * rates)
    size = min(1.0, 0.95 / max(-rates.min(), -falls.min(), 0.95))
    while size > 1e-8:
        yield size, v + size * change
        size /= 2


def _blocked(cosines: Matrix) -> NDArray[np.bool_]:
    """Return the unit gradients whose opposite is a sum of others with coefficients that are not negative (M,)."""
    found = np.zeros(len(cosines), dtype=bool)
    for t in np.flatnonzero((cosines < 0).any(axis=1)):
        whole = np.eye(len(cosines))[t]
        whole += projected(cosines, whole).coefficients  # its projection on what harms nobody is 0
        found[t] = length(whole, cosines) <= len(whole) * ROUNDING * whole.sum()
    return found
