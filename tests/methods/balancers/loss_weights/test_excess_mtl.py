import io

import pytest
import torch
from torch import Tensor
from torchjd import aggregation

from mtbench.contract import GradientBalancer
from tests.methods.balancers.rows import balancer, combined, drawn


def weights(excess: GradientBalancer) -> Tensor:
    assert isinstance(excess.logarithms, Tensor)
    return excess.logarithms.exp()


@pytest.mark.parametrize("step", [0.01, 1.0])
def test_it_is_torchjds_with_one_step_of_warm_up_while_every_task_is_present(step: float) -> None:
    ours = balancer(f"excess-mtl:step={step}", 4)
    theirs = aggregation.ExcessMTL(robust_step_size=step, n_warmup_steps=1)
    for seed in range(10):
        rows = drawn(4, seed=seed) * torch.tensor([[1.0], [2.0], [0.1], [1.0]])
        assert torch.allclose(combined(ours, rows).shared, theirs(rows), rtol=1e-4, atol=1e-5)


def test_the_first_step_weighs_tasks_alike_and_the_second_by_the_risk_relative_to_the_first() -> None:
    excess = balancer("excess-mtl:step=1")
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert torch.allclose(combined(excess, first).shared, torch.tensor([0.5, 0.5]))
    second = torch.tensor([[2.0, 0.0], [0.0, 1.0]])  # risks 4 / sqrt(1 + 4) and 1 / sqrt(2), both 1 before
    risks = torch.tensor([4 / 5**0.5, 1 / 2**0.5])
    own = combined(excess, second).own
    assert own is not None
    assert torch.allclose(own, risks.softmax(0), atol=1e-5)
    assert torch.allclose(weights(excess), risks.softmax(0), atol=1e-5)


def test_a_task_that_is_absent_keeps_its_weight_and_its_sums() -> None:
    excess = balancer("excess-mtl", 3)
    combined(excess, drawn(3))
    combined(excess, drawn(3, seed=1) * torch.tensor([[1.0], [2.0], [3.0]]))
    kept, sums = weights(excess)[1], excess.squares.of(torch.tensor([1]), drawn(1)).clone()  # type: ignore[operator, union-attr]
    for seed in range(5):
        own = combined(excess, drawn(2, seed=seed), [0, 2]).own
        assert own is not None
        assert float(own.sum()) == pytest.approx(1)
    assert float(weights(excess)[1]) == pytest.approx(float(kept))
    assert float(weights(excess).sum()) == pytest.approx(1)
    assert torch.equal(excess.squares.of(torch.tensor([1]), drawn(1)), sums)  # type: ignore[operator, union-attr]


def test_among_the_tasks_that_are_present_it_is_torchjds_whatever_others_come_between() -> None:
    """Only the weights among them: together they have what no other task does, but the update is scaled to 1."""
    ours, theirs = balancer("excess-mtl:step=1", 4), aggregation.ExcessMTL(robust_step_size=1.0, n_warmup_steps=1)
    for seed in range(10):
        rows = drawn(2, seed=seed)
        assert torch.allclose(combined(ours, rows, [1, 3]).shared, theirs(rows), rtol=1e-4, atol=1e-5)
        combined(ours, drawn(2, seed=100 + seed), [0, 2])


def test_a_task_without_gradient_at_first_does_not_take_all_the_weight_once_it_has_one() -> None:
    excess = balancer("excess-mtl", 2)
    combined(excess, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    for _ in range(3):
        combined(excess, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert torch.allclose(weights(excess), torch.tensor([0.5, 0.5]), atol=0.01)


def test_a_weight_that_was_all_but_lost_comes_back() -> None:
    excess = balancer("excess-mtl:step=50", 2)
    for scale in [1.0] + 40 * [3.0] + 400 * [0.01]:
        combined(excess, torch.tensor([[1.0], [scale]]))
    assert torch.isfinite(weights(excess)).all()
    assert weights(excess)[0] > 0.99


def test_its_state_goes_through_a_file() -> None:
    excess = balancer("excess-mtl", 3)
    combined(excess, drawn(2), [0, 2])
    file = io.BytesIO()
    torch.save(excess.state_dict(), file)
    other = balancer("excess-mtl", 3)
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    for seed in range(3):
        rows = drawn(3, seed=seed)
        assert torch.equal(combined(excess, rows).shared, combined(other, rows).shared)
