import pytest
import torch
from torch import Tensor

from mtbench.contract import Losses, NoOptions
from mtbench_methods.balancers.loss_weights.scale_invariant import ScaleInvariant
from mtbench_toys.quadratic import losses_of


def gradient(losses: Losses) -> Tensor:
    return torch.autograd.grad(ScaleInvariant(NoOptions(), ()).scalar(losses), losses.means)[0]


def test_each_task_weighs_one_over_its_loss() -> None:
    assert gradient(losses_of([0.5, 4.0])).tolist() == pytest.approx([2, 0.25])


def test_a_loss_in_other_units_has_the_same_relative_gradient() -> None:
    small, large = losses_of([0.5, 4.0]), losses_of([500.0, 4.0])
    assert (gradient(small) * small.means)[0].item() == pytest.approx((gradient(large) * large.means)[0].item())


def test_an_absent_task_has_no_part_and_a_loss_of_zero_is_finite() -> None:
    assert gradient(losses_of([0.5, 4.0], present=[False, True])).tolist() == pytest.approx([0, 0.25])
    assert gradient(losses_of([0.0, 4.0])).tolist() == pytest.approx([1e8, 0.25])
