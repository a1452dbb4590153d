import pytest
import torch
from torchjd import aggregation

from mtbench.errors import UsageError
from tests.methods.balancers.rows import A, balancer, combined, drawn, shared


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e3])
def test_the_decrease_of_each_loss_is_its_weight_to_the_power_of_minus_one_over_alpha(
    alpha: float, scale: float
) -> None:
    rows = scale * drawn(3).double()
    update = shared(f"fairgrad:alpha={alpha}", rows)
    weights = torch.linalg.lstsq(rows.T, update[:, None]).solution.squeeze(1)
    assert torch.allclose(rows @ update, weights ** (-1 / alpha), rtol=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_it_is_torchjds_for_gradients_of_moderate_lengths(alpha: float) -> None:
    rows = drawn(4).double()
    expected = aggregation.FairGrad(alpha=alpha)(rows)
    assert torch.allclose(shared(f"fairgrad:alpha={alpha}", rows), expected, rtol=1e-3, atol=1e-4)


def test_short_gradients_are_no_worse_solved_than_others() -> None:
    """With alpha = 1 the update is as long however long the gradients; TorchJD's solver stops too early."""
    assert torch.allclose(shared("fairgrad:alpha=1", 1e-4 * A), shared("fairgrad:alpha=1", A), rtol=1e-3)
    assert aggregation.FairGrad(alpha=1.0)(1e-4 * A).norm() < 0.1 * shared("fairgrad:alpha=1", A).norm()


def test_alpha_of_one_has_the_direction_of_nash() -> None:
    rows = drawn(5)
    fair, nash = shared("fairgrad:alpha=1", rows), shared("nash-mtl", rows)
    assert torch.allclose(fair / fair.norm(), nash / nash.norm(), atol=1e-4)


def test_alpha_of_zero_is_refused() -> None:
    """Then all weights are 1 and nothing is fair: w_t^(-1/alpha) has no value."""
    with pytest.raises(UsageError, match=r"option 'alpha' of balancer 'fairgrad' is 0\. Allowed: at least 0\.5"):
        balancer("fairgrad:alpha=0")


def test_branches_are_not_weighted() -> None:
    assert combined(balancer("fairgrad"), A).own is None
