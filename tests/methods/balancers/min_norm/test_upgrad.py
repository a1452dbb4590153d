import pytest
import torch
from torch import Tensor
from torchjd import aggregation
from torchjd.linalg import QuadprogProjector

from tests.methods.balancers.rows import A, badly_scaled, conflicting, drawn, nearly_dependent, shared

PROJECTIONS = ["upgrad", "dualproj"]


def harm(update: Tensor, rows: Tensor) -> float:
    """Return the least cosine between an update and a gradient."""
    return float(torch.cosine_similarity(update.double()[None], rows.double(), dim=1).min())


def test_each_gradient_is_projected_and_the_two_are_averaged() -> None:
    assert torch.allclose(shared("upgrad", A), torch.tensor([0.4, 0.7]))


def test_the_mean_gradient_is_projected_where_it_conflicts() -> None:
    assert torch.allclose(shared("dualproj", A), torch.tensor([0.25, 0.5]))
    rows = torch.tensor([[1.0, 0.0], [-3.0, 1.0]])  # mean (-1, .5) is projected onto the plane of (1, 0)
    assert torch.allclose(shared("dualproj", rows), torch.tensor([0.0, 0.5]), atol=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("upgrad", aggregation.UPGrad), ("dualproj", aggregation.DualProj)])
def test_they_are_torchjds_with_less_on_the_diagonal(name: str, kind: type[aggregation.UPGrad]) -> None:
    rows = drawn(5).double()
    assert torch.allclose(shared(name, rows), kind(projector=QuadprogProjector(reg_eps=1e-10))(rows))
    assert torch.allclose(shared(name, rows), kind()(rows), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("tasks", [2, 9, 40])
def test_no_task_is_harmed_however_unequal_the_gradients(name: str, tasks: int) -> None:
    for rows in (badly_scaled(tasks), conflicting(tasks), nearly_dependent(tasks), 1e-5 * drawn(tasks)):
        assert harm(shared(name, rows), rows) > -1e-4


def test_torchjds_own_diagonal_would_harm_tasks_with_short_gradients() -> None:
    rows = A * torch.tensor([[1.0], [1000.0]])
    assert harm(aggregation.UPGrad()(rows), rows) < -0.4
    assert harm(shared("upgrad", rows), rows) > -1e-4
