import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import NonlinearConstraint, minimize
from torchjd import aggregation

from tests.methods.balancers.rows import A, drawn, shared


def test_the_update_of_two_known_gradients() -> None:
    assert torch.allclose(shared("cagrad:c=.5", A), torch.tensor([0.457889, 0.686834]), atol=1e-5)


def test_the_scale_is_neither_that_of_the_sum_nor_divided_as_in_the_released_code() -> None:
    """The released code divides by 1 + c^2 and multiplies by T."""
    released = 2 * torch.tensor([0.366312, 0.549467])
    assert torch.allclose(shared("cagrad:c=.5", A) * 2 / 1.25, released, atol=1e-5)


@pytest.mark.parametrize("tasks", [2, 3, 9])
def test_it_is_torchjds(tasks: int) -> None:
    rows = drawn(tasks).double()
    assert torch.allclose(shared("cagrad", rows), aggregation.CAGrad(c=0.4)(rows), atol=1e-5)


def test_it_serves_the_worst_off_task_best_within_its_ball() -> None:
    rows = drawn(3, size=4, seed=2).double()
    update, mean = shared("cagrad:c=.5", rows), rows.mean(0)
    center, radius, matrix = mean.numpy(), 0.5 * float(mean.norm()), rows.numpy()

    def spare(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Not negative where x[:4] is in the ball and decreases every loss by at least x[4]."""
        return np.append(matrix @ x[:4] - x[4], radius**2 - ((x[:4] - center) ** 2).sum())

    def height(x: NDArray[np.float64]) -> float:
        return -float(x[4])

    start: NDArray[np.float64] = np.append(center, (matrix @ center).min())
    constraints = NonlinearConstraint(spare, np.zeros(4), np.full(4, np.inf))
    found = minimize(height, start, constraints=constraints, method="SLSQP")
    assert found.success
    assert float((rows @ update).min()) == pytest.approx(found.x[4], rel=1e-4)
    assert float((update - mean).norm()) == pytest.approx(radius, rel=1e-4)


def test_gradients_shorter_than_a_hundredth_still_move_something() -> None:
    """TorchJD takes gradients of squared lengths below 1e-4 in all for none."""
    assert not aggregation.CAGrad(c=0.4)(1e-3 * A).any()
    assert torch.allclose(shared("cagrad", 1e-3 * A), 1e-3 * shared("cagrad", A), atol=1e-8)
