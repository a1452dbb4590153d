import pytest
import torch
from torch import Tensor
from torchjd.scalarization import STCH

from mtbench.contract import Losses
from mtbench_methods.balancers.loss_weights.stch import Stch, StchOptions
from mtbench_toys.quadratic import losses_of


def gradient(losses: Losses, mu: float) -> Tensor:
    return torch.autograd.grad(Stch(StchOptions(mu=mu), ()).scalar(losses), losses.means)[0]


@pytest.mark.parametrize("mu", [0.01, 0.1, 1.0])
def test_it_is_torchjds_where_all_tasks_are_present(mu: float) -> None:
    losses = losses_of([0.3, 2.0, 1.9])
    value = Stch(StchOptions(mu=mu), ()).scalar(losses)
    expected = STCH(mu)(losses.means)
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    theirs = torch.autograd.grad(expected, losses.means)[0]
    assert torch.allclose(gradient(losses, mu), theirs, rtol=1e-5)


def test_a_small_mu_trains_the_worst_task_alone_and_a_large_one_all_alike() -> None:
    assert gradient(losses_of([1.0, 2.0]), 1e-3).tolist() == pytest.approx([0, 0.5])
    assert gradient(losses_of([1.0, 2.0]), 1e4).tolist() == pytest.approx([0.25, 0.25], rel=1e-4)


def test_equal_losses_have_a_pth_of_the_weights_of_the_mean() -> None:
    assert gradient(losses_of([0.7, 0.7, 0.7, 0.7]), 0.1).tolist() == pytest.approx([1 / 4 / 4] * 4)


def test_the_worst_is_sought_among_the_tasks_that_are_present() -> None:
    found = gradient(losses_of([1.0, 2.0, 9.0], present=[True, True, False]), 0.1)
    odds = torch.tensor(5.0).exp().item()  # exp((2 - 1) / (2 mu)) to one
    assert found.tolist() == pytest.approx([0.5 / (1 + odds), 0.5 * odds / (1 + odds), 0], rel=1e-4)
