import pytest
import torch
from torch import Tensor
from torchjd.scalarization import Random as TorchJD

from mtbench.contract import Losses, NoOptions
from mtbench.contract.randomness import seeded
from mtbench_methods.balancers.loss_weights.random import Random
from mtbench_toys.quadratic import losses_of


def total(losses: Losses, seed: int = 0) -> Tensor:
    balancer = Random(NoOptions(), [None] * len(losses.means))  # type: ignore[list-item]
    with seeded(seed):
        return balancer.scalar(losses)


def test_it_is_torchjds_where_all_tasks_are_present() -> None:
    for seed in range(5):
        with seeded(seed):
            expected = TorchJD()(torch.tensor([1.0, 5.0, 0.3]))
        assert total(losses_of([1.0, 5.0, 0.3]), seed).item() == pytest.approx(expected.item(), rel=1e-6)


def test_each_seed_draws_weights_of_its_own_that_sum_to_one() -> None:
    firsts = {total(losses_of([1.0, 0.0, 0.0]), seed).item() for seed in range(10)}
    assert len(firsts) == 10
    assert total(losses_of([1.0, 1.0, 1.0])).item() == pytest.approx(1)


@pytest.mark.parametrize("base_weights", [(1 / 3, 1 / 3, 1 / 3), (0.5, 0.3, 0.2)])
def test_on_average_it_is_uniform(base_weights: tuple[float, ...]) -> None:
    """E[w] = 1/P by symmetry; a draw's standard deviation is about .2, the mean of 4000 draws is within .02."""
    losses = losses_of([1.0, 2.0, 3.0], base_weights=base_weights)
    plain = sum(part * mean for part, mean in zip(base_weights, (1, 2, 3), strict=True))
    with seeded(0):
        balancer = Random(NoOptions(), ())
        mean = torch.stack([balancer.scalar(losses).detach() for _ in range(4000)]).mean()
    assert mean.item() == pytest.approx(plain, abs=0.05)


def test_weights_are_those_of_the_tasks_that_are_present() -> None:
    assert total(losses_of([1.0, 1.0, 1.0], present=[True, False, True])).item() == pytest.approx(1)
    assert total(losses_of([7.0, 7.0], present=[False, True])).item() == pytest.approx(7)
