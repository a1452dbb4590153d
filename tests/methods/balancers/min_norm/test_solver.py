from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import nnls

from mtbench_methods.balancers.min_norm.solver import least_norm, projected

Matrix = NDArray[np.float64]


def min_norm_weights(gramian: Matrix) -> Matrix:
    """Return the weights by the inner products of gradients none of which is 0."""
    lengths = np.sqrt(gramian.diagonal())
    cosines = gramian / lengths[:, None] / lengths
    np.fill_diagonal(cosines, 1)
    weights, solved = least_norm(cosines, lengths)
    assert solved
    return weights


def exhaustive(gramian: Matrix) -> float:
    """Return the least w^T M w on the simplex: on each face the stationary point v = M_S^-1 1, if it is inside the
    face."""
    best = np.inf
    tasks = range(len(gramian))
    for size in range(1, len(gramian) + 1):
        for face in combinations(tasks, size):
            solution = np.linalg.lstsq(gramian[np.ix_(face, face)], np.ones(size), rcond=None)[0]
            if (solution > 0).all():
                weights = np.zeros(len(gramian))
                weights[list(face)] = solution / solution.sum()
                best = min(best, float(weights @ gramian @ weights))
    return best


def worlds(tasks: int, seed: int) -> dict[str, Matrix]:
    rng = np.random.default_rng(seed)
    plain = rng.normal(size=(tasks, 3 * tasks))
    return {
        "independent": plain,
        "aligned": plain + 2 * rng.normal(size=3 * tasks),
        "scales from 1 to 1000": plain * np.logspace(0, 3, tasks)[:, None] + rng.normal(size=3 * tasks),
        "one dominated": np.vstack([plain[:-1], 30 * plain[0]]),
    }


@pytest.mark.parametrize("tasks", [2, 3, 4, 6, 8, 10])
def test_the_norm_is_the_least_by_exhaustive_enumeration(tasks: int) -> None:
    for name, gradients in worlds(tasks, seed=tasks).items():
        gramian = gradients @ gradients.T
        weights = min_norm_weights(gramian)
        found, least = weights @ gramian @ weights, exhaustive(gramian)
        assert found / least - 1 < 1e-6, name


@pytest.mark.parametrize("tasks", [2, 3, 5, 10, 20, 40])
def test_the_duality_gap_certifies_the_norm_up_to_forty_tasks(tasks: int) -> None:
    """For convex f(w) = w^T M w: f(w) - min f <= 2 (w^T M w - min_t (M w)_t), the Frank-Wolfe gap."""
    for seed in range(5):
        for name, gradients in worlds(tasks, seed).items():
            gramian = gradients @ gradients.T
            weights = min_norm_weights(gramian)
            found = weights @ gramian @ weights
            gap = 2 * (found - (gramian @ weights).min())
            assert gap / (found - gap) < 1e-6, name


@given(st.integers(2, 40), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_weights_lie_on_the_simplex(tasks: int, seed: int) -> None:
    gradients = np.random.default_rng(seed).normal(size=(tasks, 5))  # dependent for more than 5 tasks
    weights = min_norm_weights(gradients @ gradients.T)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


def test_two_tasks_follow_the_closed_form() -> None:
    gradients = np.array([[1.0, 0.0], [-0.5, 1.0]])
    weights = min_norm_weights(gradients @ gradients.T)
    assert weights == pytest.approx([0.538462, 0.461538], abs=1e-6)
    assert weights @ gradients == pytest.approx([0.307692, 0.461538], abs=1e-6)


def test_opposite_gradients_cancel() -> None:
    opposite = np.array([[1.0, 0.0], [-3.0, 0.0]])
    assert min_norm_weights(opposite @ opposite.T) == pytest.approx([0.75, 0.25])


@given(st.integers(2, 40), st.integers(2, 60), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_projections_on_the_dual_cone_are_those_of_scipy(tasks: int, size: int, seed: int) -> None:
    """The projection is v less its part in the cone of the opposite gradients, by Moreau's decomposition."""
    rng = np.random.default_rng(seed)
    units = rng.normal(size=(tasks, size))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    point = rng.normal(size=tasks)
    added, _ = nnls(units.T, -point @ units)
    found = projected(units @ units.T, point)
    assert found.solved
    assert found.coefficients @ units == pytest.approx(added @ units, abs=1e-7 * np.abs(point).sum())
