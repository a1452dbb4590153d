import pytest
import torch
from torch import Tensor
from torchjd import aggregation

from tests.methods.balancers.rows import A, badly_scaled, drawn, nearly_dependent, shared


def cosines(update: Tensor, rows: Tensor) -> Tensor:
    return torch.cosine_similarity(update.double()[None], rows.double(), dim=1)


@pytest.mark.parametrize("rows", [A, drawn(5), badly_scaled(9)])
def test_the_update_has_the_same_angle_to_every_gradient(rows: Tensor) -> None:
    found = cosines(shared("config", rows), rows)
    assert found.min() > 0
    assert torch.allclose(found, found[:1], atol=1e-5)


def test_its_length_is_the_sum_of_the_projections_of_the_gradients() -> None:
    update = shared("config", A)
    assert torch.allclose(update.norm(), (A @ update / update.norm()).sum())


@pytest.mark.parametrize("tasks", [1, 2, 3, 9, 40])
def test_it_is_torchjds_in_double_precision(tasks: int) -> None:
    rows = drawn(tasks).double()
    assert torch.allclose(shared("config", rows), aggregation.ConFIG()(rows))


def test_it_is_torchjds_where_a_task_has_no_gradient_or_two_have_one() -> None:
    rows = drawn(4).double()
    rows[1] = 0
    rows[3] = 2 * rows[2]
    assert torch.allclose(shared("config", rows), aggregation.ConFIG()(rows), atol=1e-5)


def test_the_number_of_parameters_does_not_blur_directions_that_differ() -> None:
    """In single precision, pinv of (P, n) drops directions below n 1.2e-7 of the largest: 12 % at a million."""
    few = nearly_dependent(3).double()
    many = torch.zeros(3, 1_000_000)
    many[:, :60] = few.float()
    assert torch.allclose(shared("config", many)[:60].double(), aggregation.ConFIG()(few), rtol=1e-2)
    assert cosines(aggregation.ConFIG()(many), many).std() > 10 * cosines(shared("config", many), many).std()
