import torch
from torchjd import aggregation

from tests.methods.balancers.rows import A, drawn, shared


def test_two_gradients_that_conflict_each_lose_what_conflicts() -> None:
    assert torch.allclose(shared("pcgrad", A), torch.tensor([0.8, 1.4]))


def test_gradients_that_agree_are_summed() -> None:
    rows = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    assert torch.equal(shared("pcgrad", rows), rows.sum(0))


def test_it_is_torchjds_with_the_same_random_orders() -> None:
    rows = drawn(6).double()
    torch.manual_seed(3)
    expected = aggregation.PCGrad()(rows)
    torch.manual_seed(3)
    assert torch.allclose(shared("pcgrad", rows), expected)


def test_of_two_tasks_it_is_twice_upgrad() -> None:
    for seed in range(20):
        rows = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed)) * torch.tensor([[1.0], [30.0]])
        assert torch.allclose(shared("pcgrad", rows), 2 * shared("upgrad", rows), atol=1e-4)
