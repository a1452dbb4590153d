from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from torch import Tensor

from mtbench_methods.balancers.equalization.fair_weights import fair_weights
from tests.methods.balancers.rows import (
    A,
    badly_scaled,
    balancer,
    combined,
    conflicting,
    drawn,
    nearly_dependent,
    shared,
)

Make: TypeAlias = Callable[..., Tensor]


def bargain(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """a > 0 with M a = 1 / a."""
    lengths = np.sqrt(matrix.diagonal())
    cosines = matrix / lengths[:, None] / lengths
    np.fill_diagonal(cosines, 1)
    found = fair_weights(cosines, lengths, alpha=1)
    assert found.solved
    return found.weights


def gramian(rows: Tensor) -> NDArray[np.float64]:
    matrix: NDArray[np.float64] = (rows.double() @ rows.double().T).numpy()
    normalized: NDArray[np.float64] = matrix / np.linalg.norm(matrix)
    return normalized


def residual(matrix: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(np.abs(matrix @ weights - 1 / weights).max())


def unequal(tasks: int, seed: int = 0) -> Tensor:
    """Random gradients of lengths from a thousandth to a thousand times the usual."""
    generator = torch.Generator().manual_seed(seed)
    return drawn(tasks, seed=seed).double() * 10 ** (6 * torch.rand(tasks, 1, generator=generator).double() - 3)


def duplicated(tasks: int, seed: int = 0) -> Tensor:
    """Return each gradient twice or three times."""
    return unequal(max(1, tasks // 2), seed).repeat(3, 1)[:tasks]


def cancelling(tasks: int, seed: int = 0) -> Tensor:
    """Return gradients of which the last is the first one's opposite, but for a ten-thousandth."""
    rows = torch.randn(tasks, 60, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows[-1] = -rows[0] + 1e-4 * rows[-1]
    return rows


def test_the_weights_of_two_known_gradients() -> None:
    own = combined(balancer("nash-mtl"), A).own
    assert own is not None
    assert torch.allclose(own, torch.tensor([1.779264, 1.591422]), atol=1e-5)


@pytest.mark.parametrize("tasks", [2, 3, 5, 9, 20, 40])
@pytest.mark.parametrize("make", [drawn, badly_scaled, unequal, nearly_dependent, duplicated, conflicting, cancelling])
def test_the_bargain_is_struck_to_a_millionth(tasks: int, make: Make) -> None:
    for seed in range(3):
        matrix = gramian(make(tasks, seed=seed))
        weights = bargain(matrix)
        assert (weights > 0).all()
        assert residual(matrix, weights) < 1e-6


@settings(max_examples=100, deadline=None)
@given(
    tasks=st.integers(2, 40),
    size=st.integers(60, 80),
    seed=st.integers(0, 10_000),
    exponents=st.lists(st.floats(-3, 3), min_size=40, max_size=40),
)
def test_the_bargain_is_struck_for_gradients_of_any_lengths(
    tasks: int, size: int, seed: int, exponents: list[float]
) -> None:
    rows = torch.randn(tasks, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    matrix = gramian(rows * torch.tensor([[10**exponent] for exponent in exponents[:tasks]], dtype=torch.float64))
    weights = bargain(matrix)
    assert (weights > 0).all()
    assert np.abs(weights * (matrix @ weights) - 1).max() < 1e-6
    assert residual(matrix, weights) < 1e-6


def test_equal_gradients_are_summed() -> None:
    assert np.allclose(bargain(np.full((5, 5), 1 / 5)), 1)


def test_a_minimizer_that_knows_nothing_of_newton_finds_the_same_weights() -> None:
    matrix = gramian(drawn(4))

    def height(a: NDArray[np.float64]) -> float:
        return float(a @ matrix @ a / 2 - np.log(a).sum())

    found = minimize(height, np.ones(4), bounds=Bounds(1e-6, np.inf), method="L-BFGS-B", tol=1e-14)
    assert np.allclose(bargain(matrix), found.x, rtol=1e-4)


def test_gradients_that_cancel_exactly_have_no_bargain_and_the_branches_keep_their_weights() -> None:
    found = combined(balancer("nash-mtl"), torch.stack([A[0], -3 * A[0]]))
    assert not found.shared.any()
    assert found.solved
    assert found.own is not None
    assert found.own.tolist() == [1, 1]


def test_beside_gradients_that_cancel_the_others_bargain_for_what_does_not_change_them() -> None:
    """It is (0, 4) of (3, 4) beside (1, 0) and (-1, 0); of one gradient a = 1 / |g|, on the scale of M."""
    rows = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [3.0, 4.0]])
    scale = float((rows @ rows.T).norm()) ** 0.5
    found = combined(balancer("nash-mtl", 3), rows)
    assert torch.allclose(found.shared, scale * torch.tensor([0.0, 1.0]), atol=1e-6)
    assert found.own is not None
    assert found.own.tolist() == pytest.approx([1, 1, scale / 4])


def test_the_update_is_as_long_as_the_gradients_make_it() -> None:
    """|d|^2 = P |M| for the solution of M a = 1 / a with M divided by its Frobenius norm |M|."""
    rows = drawn(6)
    update = combined(balancer("nash-mtl", 6), rows).shared
    assert float(update.norm()) == pytest.approx(float((6 * (rows @ rows.T).norm()).sqrt()), rel=1e-4)


def test_losses_are_weighted_for_the_branches_too() -> None:
    result = combined(balancer("nash-mtl", 3), drawn(3))
    assert result.own is not None
    assert torch.allclose(result.own @ drawn(3), result.shared)


def test_weights_are_kept_for_as_many_steps_as_asked_and_by_absent_tasks() -> None:
    rare = balancer("nash-mtl:update_every=3", 3)
    history = [combined(rare, drawn(3, seed=seed)).own for seed in range(4)]
    assert all(own is not None for own in history)
    first, second, third, fourth = (own.tolist() for own in history if own is not None)
    assert first == second == third != fourth
    assert isinstance(rare.weights, Tensor)
    kept = rare.weights.clone()
    for seed in (4, 5, 6):
        combined(rare, drawn(2, seed=seed), [0, 2])
    assert rare.weights[1] == kept[1]
    assert (rare.weights[[0, 2]] != kept[[0, 2]]).all()


def test_a_task_without_gradient_keeps_its_weight() -> None:
    nash = balancer("nash-mtl", 3)
    combined(nash, drawn(3))
    assert isinstance(nash.weights, Tensor)
    kept = nash.weights.clone()
    rows = drawn(3, seed=1)
    rows[1] = 0
    own = combined(nash, rows).own
    assert own is not None
    assert own[1] == kept[1].float()
    others = bargain(gramian(rows[[0, 2]]))
    assert np.allclose(own[[0, 2]].numpy(), others, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_raw_equation_gives_updates_of_one_length_and_the_direction_of_the_other(scale: float) -> None:
    """a = 1 / (M a) has |G^T a|^2 = a^T M a = P."""
    rows = scale * drawn(5)
    raw, scaled = shared("nash-mtl:raw=true", rows), shared("nash-mtl", rows)
    assert float(raw.norm()) == pytest.approx(5**0.5, rel=1e-5)
    assert float(torch.cosine_similarity(raw, scaled, dim=0)) == pytest.approx(1, abs=1e-6)


def test_the_raw_equation_is_that_of_the_released_code() -> None:
    """Two gradients at right angles, of lengths 3 and 4, have a = (1/3, 1/4): their directions are added."""
    found = shared("nash-mtl:raw=true", torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    assert found.tolist() == pytest.approx([1, 1])
