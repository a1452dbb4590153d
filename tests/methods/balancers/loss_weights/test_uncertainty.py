import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchjd.scalarization import IMTLL, UW, Scalarizer

from mtbench.contract import Scalarization
from mtbench_methods.balancers.equalization.imtl import ImtlL, ImtlLOptions
from mtbench_methods.balancers.loss_weights.uncertainty import Uncertainty, UncertaintyOptions
from mtbench_toys.quadratic import Quadratic, batch_of, losses_of
from tests.builders.keepers import Memory
from tests.methods.balancers.test_state import trained


def of(network: Quadratic, **options: float) -> Uncertainty:
    return Uncertainty(UncertaintyOptions(**options), network.tasks)


def log_variances(balancer: Uncertainty) -> Tensor:
    return torch.stack([value.detach() for value in balancer.log_variances])


def network() -> Quadratic:
    return Quadratic([1.0, 9.0, 0.1], [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])


def adam(net: nn.Module, own: nn.Module) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": net.parameters()}, {"params": own.parameters(), "lr": 0.025}]
    return torch.optim.Adam(groups, lr=0.01)


def test_it_is_torchjds_step_by_step() -> None:
    ours, theirs = network(), network()
    balancer, scalarizer = of(ours), UW(3)
    optimizers = [adam(ours, balancer), adam(theirs, scalarizer)]
    batch = batch_of(True, True, True)
    for _ in range(30):
        for optimizer in optimizers:
            optimizer.zero_grad()
        balancer.backward(ours, batch)
        scalarizer(theirs.losses(batch).means).backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)
    assert torch.allclose(log_variances(balancer), scalarizer.log_var, atol=1e-6)
    assert log_variances(balancer).abs().min() > 0.1


@pytest.mark.parametrize(
    ("kind", "scalarizer"),
    [(Uncertainty(UncertaintyOptions(), network().tasks), UW(3)), (ImtlL(ImtlLOptions(), network().tasks), IMTLL(3))],
)
def test_value_and_gradients_are_torchjds_with_any_scales(kind: Scalarization, scalarizer: Scalarizer) -> None:
    generator = torch.Generator().manual_seed(0)
    ours, (theirs,) = list(kind.parameters()), scalarizer.parameters()
    for _ in range(10):
        drawn = torch.randn(3, generator=generator)
        with torch.no_grad():
            theirs.copy_(drawn)
            for scale, value in zip(ours, drawn, strict=True):
                scale.copy_(value)
        losses = losses_of(torch.rand(3, generator=generator).tolist())
        found, expected = kind.scalar(losses), scalarizer(losses.means)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)
        by_loss, *by_scale = torch.autograd.grad(found, [losses.means, *ours])
        their_loss, their_scale = torch.autograd.grad(expected, [losses.means, theirs])
        assert torch.allclose(by_loss, their_loss, rtol=1e-5)
        assert torch.allclose(torch.stack(by_scale), their_scale, rtol=1e-5, atol=1e-6)


def test_under_adam_it_moves_as_imtl_l_does_with_the_sign_of_its_scales_reversed() -> None:
    ours, theirs = network(), network()
    balancers = of(ours), ImtlL(ImtlLOptions(), theirs.tasks)
    optimizers = [adam(net, balancer) for net, balancer in zip((ours, theirs), balancers, strict=True)]
    for step in range(20):
        batch = batch_of(True, step % 2 == 0, step % 3 == 0)
        for net, balancer, optimizer in zip((ours, theirs), balancers, optimizers, strict=True):
            optimizer.zero_grad()
            balancer.backward(net, batch)
            optimizer.step()
        scales = torch.stack([value.detach() for value in balancers[1].log_scales])
        assert torch.allclose(ours.weight, theirs.weight, atol=1e-5, rtol=0)
        assert torch.allclose(log_variances(balancers[0]), -scales, atol=1e-5, rtol=0)
    assert scales.abs().min() > 0.1


def test_it_starts_as_half_the_sum_and_its_optimum_is_the_loss() -> None:
    losses = losses_of([0.5, 4.0])
    balancer = Uncertainty(UncertaintyOptions(), [None, None])  # type: ignore[list-item]
    assert balancer.scalar(losses).item() == pytest.approx(2.25)
    optimizer = torch.optim.Adam(balancer.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        balancer.scalar(losses).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert log_variances(balancer).tolist() == pytest.approx([math.log(0.5), math.log(4)], abs=1e-3)


def test_a_task_that_is_absent_keeps_its_variance_though_it_was_moving() -> None:
    net = network()
    balancer = of(net)
    optimizer = torch.optim.Adam([*net.parameters(), *balancer.parameters()], lr=0.025)

    def step(*present: bool) -> Tensor:
        optimizer.zero_grad()
        balancer.backward(net, batch_of(*present))
        optimizer.step()
        return log_variances(balancer)

    for _ in range(5):
        before = step(True, True, True)
    after = step(True, False, True)
    assert after[1] == before[1]
    assert (after != before).tolist() == [True, False, True]


def test_the_learning_rate_is_its_own() -> None:
    assert of(network()).learning_rate == 0.025
    assert of(network(), lr=0.1).learning_rate == 0.1


@pytest.mark.parametrize("name", ["uncertainty", "imtl-l"])
@pytest.mark.parametrize(("option", "rate"), [("", 0.025), (":lr=.1", 0.1)])
def test_the_optimizer_moves_it_at_that_rate_which_falls_with_the_networks(name: str, option: str, rate: float) -> None:
    """Over 4 epochs the protocol halves its rate after the first and after the second."""
    memory = Memory()
    trained(f"branches+{name}{option}", "toy-all", memory)
    groups = [memory.at(epoch)["optimizer"]["param_groups"] for epoch in range(4)]
    assert [len(group["params"]) for group in groups[0]][1:] == [2]
    assert [own["lr"] for _, own in groups] == pytest.approx([rate, rate / 2, rate / 4, rate / 4])
    assert [own["lr"] / net["lr"] for net, own in groups] == pytest.approx([rate / groups[0][0]["lr"]] * 4)
