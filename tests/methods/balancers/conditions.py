"""The condition that defines each balancer, and how far an update is from it.

``python -m tests.methods.balancers.conditions`` prints balancer x condition x worst residual over `worlds`.

Gradients and updates are float32, so that residuals are relative to S = sum_t |w_t| |g_t|. They are measured along unit
gradients u_t = g_t / |g_t|, so that a task counts however short its gradient.
"""

import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls

from tests.methods.balancers.rows import balancer, combined
from tests.methods.balancers.worlds import World, worlds

__all__ = ["CONDITIONS", "Answer", "answer", "residuals"]

Vector: TypeAlias = NDArray[np.float64]
SINGLE = float(np.finfo(np.float32).eps)
TINY = float(np.finfo(np.float32).tiny)
NONE = 1e-6
"""Unit gradients that come as near to a sum of 0, or as far from a system of equations, are taken to do so."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The outcome of a balancer on gradients.

    Attributes:
        rows: (P, n) the gradients.
        update: (n,).
        weights: (P,); 1 where the update is no sum of gradients.
    """

    rows: Vector
    update: Vector
    weights: Vector

    @property
    def lengths(self) -> Vector:
        found: Vector = np.linalg.norm(self.rows, axis=1)
        return found

    @property
    def units(self) -> Vector:
        """(M, n) the unit gradients of the tasks whose gradient is not 0."""
        moving: Vector = self.rows[self.lengths > 0] / self.lengths[self.lengths > 0, None]
        return moving

    @property
    def mean(self) -> Vector:
        found: Vector = self.rows.mean(0)
        return found

    @property
    def size(self) -> float:
        """S."""
        return float(np.abs(self.weights) @ self.lengths) or 1.0

    def of_moving(self, values: Vector) -> Vector:
        found: Vector = values[self.lengths > 0]
        return found


Condition: TypeAlias = Callable[[Answer], float]


def answer(name: str, rows: torch.Tensor, seed: int = 0) -> Answer:
    """Return the outcome of a fresh balancer on gradients, as `rows.balancer` names it."""
    torch.manual_seed(seed)
    found = combined(balancer(name, len(rows)), rows)
    weights = torch.ones(len(rows)) if found.weights is None else found.weights
    return Answer(rows=rows.double().numpy(), update=found.shared.double().numpy(), weights=weights.double().numpy())


def apart(values: Vector) -> float:
    return float(values.max() - values.min()) if len(values) else 0.0


def harm(it: Answer) -> float:
    """Return the most that the update goes against a unit gradient."""
    return max(0.0, -float((it.units @ it.update).min())) / it.size


def hull(it: Answer) -> float:
    """Return the least length of a mean of unit gradients; 0 if a gradient is 0."""
    if len(it.units) < len(it.rows):
        return 0.0
    system = np.vstack([it.units.T, np.ones(len(it.units))])
    weights, _ = nnls(system, np.append(np.zeros(it.units.shape[1]), 1.0))
    return float(np.linalg.norm(weights @ it.units) / weights.sum())


def projected(point: Vector, units: Vector) -> Vector:
    """Return the nearest vector whose products with all unit gradients are not negative, by SciPy (Moreau)."""
    coefficients, _ = nnls(units.T, -point, maxiter=100 * len(units))
    return point + coefficients @ units


def off_simplex(it: Answer) -> float:
    return max(abs(float(it.weights.sum()) - 1), -float(it.weights.min()))


def no_shorter_mean(it: Answer) -> float:
    """<g_t, d> >= |d|^2 for every t, as holds for the point of least norm alone."""
    square = float(it.update @ it.update)
    if len(it.units) < len(it.rows):
        return float(np.linalg.norm(it.update)) / it.size
    return max(0.0, float((square / it.lengths - it.units @ it.update).max())) / it.size


def is_sum(it: Answer) -> float:
    return float(np.linalg.norm(it.weights @ it.rows - it.update)) / it.size


def orthogonal_to_what_was_added(it: Answer) -> float:
    return abs(float(it.update @ (it.update - it.mean))) / it.size**2


def adds_no_negative(it: Answer) -> float:
    added = it.of_moving((it.weights - 1 / len(it.rows)) * it.lengths)
    return max(0.0, -float(added.min())) / it.size


def mean_of_projections(it: Answer) -> float:
    """Return the distance from the mean of the gradients' projections, which are by SciPy."""
    found = sum(
        length * projected(unit, it.units) for length, unit in zip(it.of_moving(it.lengths), it.units, strict=True)
    )
    return float(np.linalg.norm(found / len(it.rows) - it.update)) / it.size


def outside_the_ball(c: float) -> Condition:
    def measured(it: Answer) -> float:
        away = float(np.linalg.norm(it.update - it.mean))
        return max(0.0, away - c * float(np.linalg.norm(it.mean))) / it.size

    return measured


def worst_could_be_better(c: float) -> Condition:
    """Return the condition that the added part serves the worst-off tasks alone, and is as long as the ball allows.

    These are the KKT conditions of max_d min_t <g_t, d>, whose value s is the mean of <g_t, d> by the weights of what
    is added. Inside the ball d is optimal only if no vector serves all, and it harms none.
    """

    def measured(it: Answer) -> float:
        added = it.of_moving((it.weights - 1 / len(it.rows)) * it.lengths)
        lengths, along = it.of_moving(it.lengths), it.units @ it.update
        away, radius = float(np.linalg.norm(it.update - it.mean)), c * float(np.linalg.norm(it.mean))
        if radius - away > NONE * it.size:
            return harm(it) if hull(it) <= NONE else (radius - away) / it.size
        if away <= NONE * it.size:
            return 0.0
        spare = along - float(added @ along) / float((added / lengths).sum()) / lengths
        return max(float(np.abs(added) @ np.abs(spare)) / it.size**2, -float(spare.min()) / it.size)

    return measured


def unequal_projections(it: Answer) -> float:
    return apart(it.units @ it.update) / it.size


def weights_without_sum(it: Answer) -> float:
    """Return the residual of: weights sum to 1, or are 0 where no vector has equal projections that are not 0."""
    if it.weights.any():
        return abs(float(it.weights.sum()) - 1) / float(np.abs(it.weights).sum())
    solution = np.linalg.lstsq(it.units, np.ones(len(it.units)), rcond=len(it.units) * SINGLE)[0]
    return 0.0 if np.abs(it.units @ solution - 1).max() > NONE / 2 else 1.0


def unlike_config(it: Answer) -> float:
    """Return the distance from ConFIG by the singular values of the unit gradients themselves."""
    direction = np.linalg.pinv(it.units, rcond=len(it.units) * SINGLE) @ np.ones(len(it.units))
    length = float(np.linalg.norm(direction))
    if length <= NONE * len(it.units) ** 0.5:
        return float(np.linalg.norm(it.update)) / it.size
    direction = direction / length
    return float(np.linalg.norm((it.rows @ direction).sum() * direction - it.update)) / it.size


def unequal_angles(it: Answer) -> float:
    """Taken only if the unit gradients are independent."""
    if np.linalg.svd(it.units, compute_uv=False)[-1] <= len(it.units) * SINGLE or len(it.units) > it.units.shape[1]:
        return 0.0
    return unequal_projections(it)


def unlike_aligned(mode: str) -> Condition:
    """Return the condition of Aligned-MTL by the singular values of the gradients themselves."""

    def measured(it: Answer) -> float:
        left, values, right = np.linalg.svd(it.rows / it.lengths.max(), full_matrices=False)
        kept = values**2 > len(it.rows) * SINGLE * values[0] ** 2
        left, values, right = left[:, kept], values[kept], right[kept]
        scale = {"min": values[-1], "median": values[len(values) // 2], "rmse": (values**2).mean() ** 0.5}[mode]
        sigma = it.lengths.max() * scale
        return float(np.linalg.norm(sigma * (left @ right).mean(0) - it.update) / sigma)

    return measured


def unfair(alpha: float, *, normalized: bool = False) -> Condition:
    """<u_t, d> = w_t^(-1/alpha) / |g_t|, and 0 for a task whose loss can fall only where another's rises.

    The latter are found by SciPy: the opposite of their unit gradient is a sum of others. Of a weight that is too small
    for a float32 the decrease can only be bounded.
    """

    def measured(it: Answer) -> float:
        norm = float(np.linalg.norm(it.rows @ it.rows.T)) if normalized else 1.0
        worst = 0.0
        blocked = [np.linalg.norm(projected(unit, it.units)) <= NONE for unit in it.units]
        for t, stuck in enumerate(blocked):
            weight, length = it.of_moving(it.weights)[t], it.of_moving(it.lengths)[t]
            found = float(it.units[t] @ it.update)
            needed = 0.0 if stuck else norm * max(weight, TINY) ** (-1 / alpha) / length
            worst = max(worst, needed - found if weight < TINY else abs(found - needed))
        return worst / it.size

    return measured


def unlike_pcgrad(orders: Callable[[int, int], list[int]]) -> Condition:
    """Algorithm 1 on the vectors themselves, with the others in the random order of task i of P."""

    def measured(it: Answer) -> float:
        torch.manual_seed(0)
        total = np.zeros_like(it.update)
        for i, unit in enumerate(it.units):
            turned = unit.copy()
            for j in orders(i, len(it.units)):
                turned -= min(float(turned @ it.units[j]), 0.0) * it.units[j]
            total += it.of_moving(it.lengths)[i] * turned
        return float(np.linalg.norm(total - it.update)) / it.size

    return measured


def order_of_all(i: int, count: int) -> list[int]:
    return [j for j in torch.randperm(count).tolist() if j != i]


def order_of_others(i: int, count: int) -> list[int]:
    others = [j for j in range(count) if j != i]
    return [others[k] for k in torch.randperm(len(others)).tolist()]


def mixed_signs(it: Answer) -> float:
    """Return the distance from: each entry is the sum of the positive ones or that of the negative ones."""
    positive, negative = it.rows.clip(min=0).sum(0), it.rows.clip(max=0).sum(0)
    off = np.minimum(np.abs(it.update - positive), np.abs(it.update - negative))
    return float(np.linalg.norm(off)) / it.size


def unlike_lengths(it: Answer) -> float:
    """Return all gradients as long as the longest."""
    return float(np.linalg.norm(it.lengths.max() * it.units.sum(0) - it.update)) / it.size


CONDITIONS: dict[str, dict[str, Condition]] = {
    "mgda": {"weights on the simplex": off_simplex, "<g_t, d> >= |d|^2": no_shorter_mean},
    "cagrad": {"in its ball": outside_the_ball(0.4), "worst-off served best": worst_could_be_better(0.4)},
    "cagrad:c=.9": {"in its ball": outside_the_ball(0.9), "worst-off served best": worst_could_be_better(0.9)},
    "upgrad": {"harms none": harm, "mean of the projections": mean_of_projections},
    "dualproj": {
        "harms none": harm,
        "orthogonal to what is added": orthogonal_to_what_was_added,
        "adds in the cone": adds_no_negative,
    },
    "imtl-g": {"equal projections": unequal_projections, "sum of weights 1": weights_without_sum},
    "config": {"equal angles": unequal_angles, "least squares (SVD)": unlike_config},
    "aligned-mtl": {"equal singular values (SVD)": unlike_aligned("min")},
    "aligned-mtl:scale_mode=median": {"equal singular values (SVD)": unlike_aligned("median")},
    "aligned-mtl:scale_mode=rmse": {"equal singular values (SVD)": unlike_aligned("rmse")},
    "nash-mtl": {"M a = 1 / a": unfair(1, normalized=True)},
    "fairgrad:alpha=1": {"M w = w^(-1/alpha)": unfair(1)},
    "fairgrad": {"M w = w^(-1/alpha)": unfair(2)},
    "fairgrad:alpha=10": {"M w = w^(-1/alpha)": unfair(10)},
    "pcgrad": {"Algorithm 1 on vectors": unlike_pcgrad(order_of_all)},
    "gradvac": {"at first, Algorithm 1 of PCGrad": unlike_pcgrad(order_of_others)},
    "graddrop": {"one sign in each entry": mixed_signs},
    "db-mtl:beta=0": {"all as long as the longest": unlike_lengths},
    "excess-mtl": {"weights on the simplex": off_simplex, "sum of weighted gradients": is_sum},
}


def residuals(name: str, over: Iterable[World]) -> dict[str, tuple[float, str]]:
    """Return the worst residual of each condition of a balancer, and the world where; infinite where it raises."""
    worst = dict.fromkeys(CONDITIONS[name], (0.0, ""))
    for world in over:
        try:
            found = answer(name, world.rows)
        except RuntimeError as error:
            return dict.fromkeys(worst, (np.inf, f"{world}: {error}"))
        for condition, measured in CONDITIONS[name].items():
            value = measured(found)
            value = np.inf if np.isnan(value) else value
            if value > worst[condition][0]:
                worst[condition] = (value, str(world))
    return worst


def main(names: list[str]) -> None:
    """Print the table, of all balancers unless some are named."""
    warnings.simplefilter("ignore")
    over = list(worlds())
    sys.stdout.write(f"{len(over)} worlds. Worst residual relative to sum |w_t| |g_t|.\n")
    for name in names or CONDITIONS:
        for condition, (value, where) in residuals(name, over).items():
            sys.stdout.write(f"{name:30} {condition:34} {value:8.1e}  {where}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
