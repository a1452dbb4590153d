import pytest
import torch
from torch import Tensor
from torchjd import aggregation

from tests.methods.balancers.rows import A, balancer, combined, drawn


def test_at_first_two_gradients_are_made_orthogonal_as_by_pcgrad() -> None:
    assert torch.allclose(combined(balancer("gradvac"), A).shared, torch.tensor([0.8, 1.4]), atol=1e-5)


def test_gradients_are_turned_until_their_cosine_is_the_target() -> None:
    """After agreeing gradients the target is beta times their cosine of 1."""
    vac = balancer("gradvac:beta=.5")
    combined(vac, torch.ones(2, 2))
    row, other = A
    turned = combined(vac, torch.stack([row, other])).shared - combined(fixed(0.5, row, other), A).shared
    assert turned.norm() < 1e-5


def fixed(target: float, first: Tensor, second: Tensor) -> "torch.nn.Module":
    """Not a balancer of the house: one that rotates in the plane, by angles."""
    raise NotImplementedError


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.01, 1.0])
def test_it_is_torchjds_step_by_step_while_every_task_is_present(beta: float) -> None:
    ours, theirs = balancer(f"gradvac:beta={beta}", 4), aggregation.GradVac(beta=beta)
    for seed in range(8):
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
