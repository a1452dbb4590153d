import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchjd.scalarization import UW

from mtbench_methods.balancers.uncertainty import Uncertainty, UncertaintyOptions
from mtbench_toys.quadratic import Quadratic, batch_of, losses_of


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
