"""Shortest vectors with given inner products: the programs of rules that harm no task or help the worst-off most.

All are solved on unit gradients u_t with inner products C: among all y with <u_t, y> >= h_t for every task t, the
shortest is sum_t a_t u_t, where a >= 0 minimizes a^T C a / 2 - h^T a.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..gramian import ROUNDING, Matrix, Vector

__all__ = ["Shortest", "cancelling", "least_norm", "projected", "shortest"]

NOTHING = 1e-12
"""The largest violation of a constraint that counts as met, relative to the sum of the coefficients."""
HARDLY = 1e-6
"""The ratio of lengths below which the floor of the longest gradient is nearly 0."""


@dataclass(frozen=True, kw_only=True)
class Shortest:
    """The shortest vector, or the proof that there is none.

    Attributes:
        coefficients: a (M,), not negative.
        cancelling: (M,) coefficients, not negative and of sum 1, with which the unit gradients cancel up to the
            rounding of float32; no y has a positive product with each of these. None if none were found.
        solved: True if every constraint is met, up to the rounding of float32.
    """

    coefficients: Vector
    cancelling: Vector | None = None
    solved: bool = True


def shortest(
    cosines: Matrix, floors: Vector, *, exists: bool = False, guess: NDArray[np.bool_] | None = None
) -> Shortest:
    """Return the shortest y = sum_t a_t u_t with <u_t, y> >= h_t, by an active-set method (Goldfarb & Idnani 1983).

    One violated constraint becomes active at a time: its coefficient grows, and those of the active ones change so that
    their products stay constant, until it is met, or one of them is 0 and leaves. If its unit gradient depends on the
    active ones, only the latter can happen; and if none of them falls, they cancel.

    Args:
        cosines: C (M, M).
        floors: h (M,).
        exists: True if such a y is certain to exist: then apparent cancellation is rounding, and is ignored.
        guess: (M,) the constraints that may be active at the solution.
    """
    count = len(floors)
    least = (count * ROUNDING) ** 2
    a, active = _start(cosines, floors, floors > 0 if guess is None else guess)
    passed = np.zeros(count, dtype=bool)
    for _ in range(20 * count):
        spare = cosines @ a - floors
        spare[active | passed] = np.inf
        entering = int(spare.argmin())
        if spare[entering] >= -NOTHING * (1 + a.sum()):
            break
        while not active[entering]:
            index = np.flatnonzero(active)
            column = cosines[index, entering]
            change = -np.linalg.solve(cosines[np.ix_(index, index)], column)
            slope = 1 + float(column @ change)  # squared distance of the unit gradient from the span of the active ones
            whole = (floors[entering] - cosines[entering] @ a) / slope if slope > least else np.inf
            falls = np.flatnonzero(change < 0)
            room = a[index[falls]] / -change[falls]
            size = min(whole, room.min(initial=np.inf))
            if size == np.inf and exists:
                passed[entering] = True
                break
            if size == np.inf:
                cancelling = np.zeros(count)
                cancelling[index], cancelling[entering] = change, 1
                return Shortest(coefficients=a, cancelling=cancelling / cancelling.sum())
            a[index] += size * change
            a[entering] += size
            if size == whole:
                active[entering] = True
            else:
                leaving = index[falls[room.argmin()]]
                active[leaving], a[leaving] = False, 0
    solved = bool((cosines @ a - floors).min() >= -count * ROUNDING * (1 + a.sum()))
    return Shortest(coefficients=a.clip(min=0), solved=solved)


def _start(cosines: Matrix, floors: Vector, active: NDArray[np.bool_]) -> tuple[Vector, NDArray[np.bool_]]:
    """Return the largest set of constraints found within a guess that hold as equalities with positive coefficients."""
    a, active = np.zeros(len(floors)), active.copy()
    while active.any():
        index = np.flatnonzero(active)
        inner = cosines[np.ix_(index, index)]
        try:
            distances = np.linalg.cholesky(inner).diagonal()
        except np.linalg.LinAlgError:
            break
        if distances.min() <= len(floors) * ROUNDING:
            break
        found = np.linalg.solve(inner, floors[index])
        if found.min() > 0:
            a[index] = found
            return a, active
        active[index[found <= 0]] = False
    return a, np.zeros_like(active)


def projected(cosines: Matrix, point: Vector) -> Shortest:
    """Project v = sum_t b_t u_t onto the cone of all d with <d, u_t> >= 0 for every t: d = v + sum_t a_t u_t.

    Args:
        cosines: C (M, M).
        point: b (M,).
    """
    return shortest(cosines, -cosines @ point, exists=True)


def cancelling(cosines: Matrix) -> Vector | None:
    """Return coefficients (M,), not negative and of sum 1, with which unit gradients cancel; None if none do."""
    return shortest(cosines, np.ones(len(cosines))).cancelling if (cosines < 0).any() else None


def least_norm(cosines: Matrix, lengths: Vector) -> tuple[Vector, bool]:
    """Return the weights w (M,) on the simplex that minimize |sum_t w_t g_t|, and True if they are the solution.

    The point of smallest norm x has <g_t, x> >= |x|^2, so that x / |x|^2 is the shortest y with <u_t, y> >= 1 / |g_t|.

    Args:
        cosines: C (M, M).
        lengths: |g_t| (M,), in any unit.
    """
    floors = lengths.min() / lengths
    # Violations of floors near 0 by long gradients cannot be distinguished from rounding.
    apart = cancelling(cosines) if floors.min() < HARDLY else None
    found = shortest(cosines, floors)
    shares = apart if apart is not None else found.cancelling if found.cancelling is not None else found.coefficients
    weights = shares / lengths
    return weights / weights.sum(), found.solved
