"""Conflict-averse gradients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.contract import option

from ..gramian import ROUNDING, ByGramian, Geometry, Matrix, Vector, Weighed, length
from .solver import cancelling, projected, shortest

__all__ = ["CAGrad"]

STEPS = 100
NEAR = 1e-12
"""The largest distance of the update from the surface of its ball, relative to the radius."""
MET = 1e-7


@dataclass(frozen=True, kw_only=True)
class CAGradOptions:
    c: float = option(
        0.4, "how far the update may be from the mean gradient, relative to its length", low=0, search=(0.1, 1.0)
    )


class CAGrad(ByGramian):
    """CAGrad (Liu et al. 2021): near the mean gradient g_0, the update that is best for the worst-off task.

    ::

        d maximizes min_t <g_t, d> among all d with |d - g_0| <= c |g_0|         (Eq. 3)
        d = g_0 + c |g_0| / |g_w| g_w, where g_w = sum_t w_t g_t is not 0        (Eq. 5)

    Chosen here: if no d serves every task, because gradients cancel or one is 0, the best update harms none, if there
    is such a d in the ball; among these it is the one nearest to g_0, and g_0 itself if that harms none. The scale is
    TorchJD's: neither divided by 1 + c^2 nor multiplied by T as in the released code. The paper's c is .4 or .5; the
    default is .4. Task-specific parameters receive the unweighted gradient of their task.

    Compared with: TorchJD's CAGrad, atol=1e-5 (balancers/min_norm/test_cagrad.py::test_it_is_torchjds); the released
    code's scale, by hand, atol=1e-5
    (balancers/min_norm/test_cagrad.py::test_the_scale_is_neither_that_of_the_sum_nor_divided_as_in_the_released_code);
    SciPy's constrained minimizer, rel=1e-4
    (balancers/min_norm/test_cagrad.py::test_it_serves_the_worst_off_task_best_within_its_ball).
    """

    Options = CAGradOptions
    paper = "Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, NeurIPS 2021"
    title = "CAGrad"
    bibtex = """@inproceedings{liu2021conflict,
      title = {Conflict-Averse Gradient Descent for Multi-task Learning},
      author = {Liu, Bo and Liu, Xingchao and Jin, Xiaojie and Stone, Peter and Liu, Qiang},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2021},
    }"""

    def weigh(self, geometry: Geometry) -> Weighed:
        cosines, lengths = geometry.cosines, geometry.lengths
        mean = lengths / geometry.present
        size = length(mean, cosines)
        radius = self.options.c * size
        # If the gradients cancel, the radius of the ball would be only rounding.
        if radius == 0 or size <= len(mean) * ROUNDING * mean.sum():
            return Weighed(weights=mean / lengths)
        harmless = projected(cosines, mean)
        within = length(harmless.coefficients, cosines) <= radius
        if within and (len(mean) < geometry.present or cancelling(cosines) is not None):
            return Weighed(weights=(mean + harmless.coefficients) / lengths, solved=harmless.solved)
        added, solved = farthest(cosines, lengths, mean, radius, serves=within)
        return Weighed(weights=(mean + added) / lengths, solved=solved)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1 + float(self.options.c)


def farthest(cosines: Matrix, lengths: Vector, mean: Vector, radius: float, *, serves: bool) -> tuple[Vector, bool]:
    """Return the addition to the mean gradient, for the largest s with <g_t, d> >= s for all t within the ball.

    The nearest d to g_0 with <g_t, d> >= s is g_0 + sum_t a_t u_t, a >= 0 (`shortest`). Its distance from g_0 grows
    with s, and the square of the distance is a quadratic function of s as long as the same a_t are positive. The
    quadratic is solved for the distance c |g_0|, again with the a_t that are positive at its solution, within bounds
    that close in on s.

    Args:
        cosines: C (M, M).
        lengths: |g_t| (M,).
        mean: (M,) the coefficients of the unit gradients in g_0.
        radius: c |g_0|.
        serves: True if s is positive, False if it is negative.

    Returns:
        a (M,), and True if it is the solution.
    """
    shares = lengths.min() / lengths  # s is counted in units of the shortest length
    inner = cosines @ mean
    low, high = (0.0, float(mean.sum()) + radius) if serves else (float((inner / shares).min()), 0.0)
    height, a = high, np.zeros_like(mean)
    for _ in range(STEPS):
        found = shortest(cosines, height * shares - inner, guess=a > 0 if a.any() else None)
        a = found.coefficients
        distance = length(a, cosines)
        if abs(distance - radius) <= NEAR * (mean + a).sum() or high - low <= NEAR * max(abs(high), abs(low)):
            break
        low, high = (height, high) if distance < radius else (low, height)
        height = _solved(cosines, shares, inner, radius, a > 0, low, high)
    met = abs(distance - radius) <= MET * (mean + a).sum()
    return a, found.solved and found.cancelling is None and bool(met)


def _solved(
    cosines: Matrix, shares: Vector, inner: Vector, radius: float, active: NDArray[np.bool_], low: float, high: float
) -> float:
    """Return the s between two bounds at which the distance is the radius for these active a_t; else their middle."""
    index = np.flatnonzero(active)
    if len(index):
        rates = np.linalg.solve(cosines[np.ix_(index, index)], np.stack([shares[index], inner[index]], axis=1))
        square, linear, constant = shares[index] @ rates[:, 0], shares[index] @ rates[:, 1], inner[index] @ rates[:, 1]
        under = linear**2 - square * (constant - radius**2)
        if under >= 0 and square > 0:
            root = float((linear + np.sqrt(under)) / square)
            if low < root < high:
                return root
    return (low + high) / 2
