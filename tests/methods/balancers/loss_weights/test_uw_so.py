import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import Tensor

from mtbench.contract import Losses
from mtbench_methods.balancers.loss_weights.uncertainty import Uncertainty, UncertaintyOptions
from mtbench_methods.balancers.loss_weights.uw_so import UwSo, UwSoOptions
from mtbench_toys.quadratic import Quadratic, batch_of, losses_of
from tests.train.runs import run, spec_of


def of(tasks: int = 3, temperature: float = 1.0) -> UwSo:
    return UwSo(UwSoOptions(temperature=temperature), [None] * tasks)  # type: ignore[list-item]


def gradient(losses: Losses, temperature: float = 1.0) -> Tensor:
    balancer = of(len(losses.means), temperature)
    return torch.autograd.grad(balancer.scalar(losses), losses.means)[0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 20.0])
def test_the_weights_are_the_softmax_of_the_inverse_losses(temperature: float) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        losses = losses_of((torch.rand(4, generator=generator) * 3 + 0.1).tolist())
        expected = softmax(1 / losses.means.detach().double().numpy() / temperature)
        assert gradient(losses, temperature).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_two_losses_by_hand() -> None:
    """Inverses 2 and 1, so w = 1 / (1 + exp(-+1 / temperature)); the loss is the weighted sum."""
    losses = losses_of([0.5, 1.0])
    assert gradient(losses).tolist() == pytest.approx([0.731059, 0.268941], abs=1e-6)
    assert gradient(losses, temperature=0.5).tolist() == pytest.approx([0.880797, 0.119203], abs=1e-6)
    assert of(2).scalar(losses).item() == pytest.approx(0.731059 * 0.5 + 0.268941, abs=1e-6)


def test_no_gradient_passes_through_the_weights() -> None:
    """In a network of closed form the gradient is the sum of the tasks' gradients, weighted by constants."""
    network = Quadratic([1.0, 3.0], [[1.0, 0.0], [0.0, 1.0]])
    losses = of(2).backward(network, batch_of(True, True))
    weights = softmax(1 / np.array([0.5, 1.5]))  # a_t |W - c_t|^2 / 2 at W = 0
    assert losses.weights is not None
    assert losses.weights.tolist() == pytest.approx(weights.tolist(), rel=1e-6)
    assert network.weight.grad is not None
    assert network.weight.grad.tolist()[0] == pytest.approx([-weights[0], -3 * weights[1]], rel=1e-6)


def test_a_high_temperature_is_uniform_and_a_low_one_takes_the_smallest_loss() -> None:
    losses = losses_of([0.5, 4.0, 1.0])
    assert gradient(losses, temperature=1e6).tolist() == pytest.approx([1 / 3] * 3, rel=1e-5)
    assert gradient(losses, temperature=1e-3).tolist() == [1, 0, 0]


def test_equal_losses_are_uniform_on_any_network() -> None:
    losses = losses_of([0.2, 0.2, 0.2], base_weights=[0.5, 0.3, 0.2])
    assert of().weigh(losses).tolist() == pytest.approx([0.5, 0.3, 0.2])


def test_scaling_all_losses_is_scaling_the_temperature_the_other_way() -> None:
    small, large = losses_of([0.5, 4.0, 1.0]), losses_of([5.0, 40.0, 10.0])
    assert gradient(small, temperature=1.0).tolist() == pytest.approx(gradient(large, temperature=0.1).tolist())


def test_weights_are_those_of_the_tasks_that_are_present() -> None:
    losses = losses_of([0.5, 1e-4, 1.0], present=[True, False, True])
    assert gradient(losses).tolist() == pytest.approx([0.731059, 0, 0.268941], abs=1e-6)
    assert gradient(losses_of([0.5, 1.0], present=[False, True])).tolist() == pytest.approx([0, 1])


@pytest.mark.parametrize(
    "means", [[0.0, 1.0], [0.0, 0.0], [1e-30, 1e-20], [1e30, 1.0], [1e-9, 1e-9]], ids=lambda means: str(means)
)
@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e6])
def test_losses_of_any_size_give_weights_that_sum_to_one(means: list[float], temperature: float) -> None:
    found = gradient(losses_of(means), temperature)
    assert found.isfinite().all()
    assert float(found.sum()) == pytest.approx(1)


def test_its_inverses_are_the_weights_that_uncertainty_learns_at_its_optimum() -> None:
    """At its best variances the weights of `uncertainty` are 1 / (2 L_t)."""
    losses = losses_of([0.5, 4.0, 1.0])
    learned = Uncertainty(UncertaintyOptions(), [None] * 3)  # type: ignore[list-item]
    optimizer = torch.optim.Adam(learned.parameters(), lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        learned.scalar(losses).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    weights = torch.autograd.grad(learned.scalar(losses), losses.means)[0]
    assert gradient(losses, temperature=3.0).tolist() == pytest.approx(
        softmax(2 * weights.detach().double().numpy() / 3).tolist(), rel=1e-3
    )


@pytest.mark.parametrize("network", ["branches", "td"])
def test_at_a_high_temperature_it_trains_as_uniform_does(network: str) -> None:
    """On a network that answers all tasks at once, and on one that answers one an image."""
    hot, plain = (run(spec_of(f"{network}+{name}", epochs="2")).model for name in ("uw-so:temperature=1e7", "uniform"))
    assert all(torch.allclose(hot[name], plain[name], atol=1e-4) for name in plain)
