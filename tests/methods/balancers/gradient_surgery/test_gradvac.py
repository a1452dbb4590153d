import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor
from torchjd import aggregation

from tests.methods.balancers.rows import A, balancer, combined, drawn


def test_at_first_two_gradients_are_made_orthogonal_as_by_pcgrad() -> None:
    assert torch.allclose(combined(balancer("gradvac"), A).shared, torch.tensor([0.8, 1.4]), atol=1e-5)


def test_gradients_are_turned_until_their_cosine_is_the_target() -> None:
    vac = balancer("gradvac:beta=.5")
    combined(vac, torch.ones(2, 2))  # a cosine of 1, of which the targets take half

    def turned(row: Tensor, other: Tensor) -> Tensor:
        """row + w other, w found by bisection."""
        cosine = lambda w: float(torch.cosine_similarity(row + w * other, other, dim=0)) - 0.5  # noqa: E731
        return row + brentq(cosine, 0, 10) * other

    assert torch.allclose(combined(vac, A).shared, turned(A[0], A[1]) + turned(A[1], A[0]), atol=1e-5)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.01, 1.0])
def test_it_is_torchjds_step_by_step_while_every_task_is_present(beta: float) -> None:
    ours, theirs = balancer(f"gradvac:beta={beta}", 4), aggregation.GradVac(beta=beta)
    for seed in range(10):
        rows = drawn(4, seed=seed).double()
        torch.manual_seed(seed)
        expected = theirs(rows)
        torch.manual_seed(seed)
        assert torch.allclose(combined(ours, rows).shared, expected, rtol=1e-4, atol=1e-4)


def test_the_targets_of_absent_tasks_stay() -> None:
    vac = balancer("gradvac", 3)
    combined(vac, drawn(3))
    assert isinstance(vac.targets, Tensor)
    before = vac.targets.clone()
    combined(vac, drawn(2, seed=1), [0, 2])
    changed = (vac.targets != before).nonzero().tolist()
    assert changed == [[0, 2], [2, 0]]


def test_among_the_tasks_that_are_present_it_is_torchjds_whatever_others_come_between() -> None:
    ours, theirs = balancer("gradvac", 4), aggregation.GradVac()
    for seed in range(10):
        rows = drawn(2, seed=seed).double()
        torch.manual_seed(seed)
        expected = theirs(rows)
        torch.manual_seed(seed)
        assert torch.allclose(combined(ours, rows, [1, 3]).shared, expected, rtol=1e-4, atol=1e-4)
        combined(ours, drawn(2, seed=100 + seed), [0, 2])
        combined(ours, drawn(1, seed=200 + seed), [3])
