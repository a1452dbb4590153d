import math

import pytest
import torch
from torch import Tensor
from torchjd.scalarization import GeometricMean

from mtbench.contract import Losses, NoOptions
from mtbench_methods.balancers.loss_weights.gls import Gls
from mtbench_toys.quadratic import losses_of


def value_and_gradient(losses: Losses) -> tuple[float, Tensor]:
    value = Gls(NoOptions(), ()).scalar(losses)
    return value.item(), torch.autograd.grad(value, losses.means)[0]


def test_it_is_the_geometric_mean_and_its_gradient() -> None:
    value, gradient = value_and_gradient(losses_of([1.0, 4.0, 2.0]))
    assert value == pytest.approx(2)
    assert gradient.tolist() == pytest.approx([2 / 3, 2 / 3 / 4, 2 / 3 / 2])


def test_it_is_torchjds_where_all_tasks_are_present() -> None:
    means = torch.tensor([0.3, 2.0, 11.0])
    assert value_and_gradient(losses_of([0.3, 2.0, 11.0]))[0] == pytest.approx(GeometricMean()(means).item())


def test_the_mean_is_over_the_tasks_that_are_present() -> None:
    value, gradient = value_and_gradient(losses_of([1.0, 4.0, 9.0], present=[True, True, False]))
    assert value == pytest.approx(2)
    assert gradient.tolist() == pytest.approx([1, 0.25, 0])


@pytest.mark.parametrize("means", [[0.0, 4.0], [0.0, 0.0], [0.0]])
def test_a_loss_of_zero_gives_numbers(means: list[float]) -> None:
    value, gradient = value_and_gradient(losses_of(means))
    assert math.isfinite(value)
    assert gradient.isfinite().all()
    assert gradient[0] == 0


def test_a_small_loss_counts_as_it_is() -> None:
    """sqrt(1e-12 * 4) = 2e-6, and each gradient is that over 2 L_t."""
    value, gradient = value_and_gradient(losses_of([1e-12, 4.0]))
    assert value == pytest.approx(2e-6)
    assert gradient.tolist() == pytest.approx([1e6, 2.5e-7], rel=1e-4)
