import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtbench_methods.balancers.equalization.db_mtl import DbMtl, DbMtlOptions
from mtbench_toys.quadratic import Quadratic, batch_of


def gradient(balancer: DbMtl, network: Quadratic, *present: bool) -> list[float]:
    network.zero_grad()
    balancer.backward(network, batch_of(*present))
    assert network.weight.grad is not None
    found: list[float] = network.weight.grad.flatten().tolist()
    return found


def pair(own: float = 0.0) -> Quadratic:
    """Return losses (2, 2) and gradients (-2, 0), (0, -4), so that those of the logarithms are (-1, 0) and (0, -2)."""
    return Quadratic([1.0, 4.0], [[2.0, 0.0], [0.0, 1.0]], own)


def test_without_averages_each_task_has_the_length_of_the_longest() -> None:
    net = pair()
    assert gradient(DbMtl(DbMtlOptions(beta=0), net.tasks), net, True, True) == pytest.approx([-2, -2])


def test_gradients_are_averaged_by_a_factor_that_fades() -> None:
    """With one gradient g throughout ghat_k = (1 - beta^k / sqrt(k!)) g, so the direction has this length."""
    net = pair()
    balancer = DbMtl(DbMtlOptions(beta=0.9), net.tasks)
    for k in range(1, 6):
        length = 2 * (1 - 0.9**k / math.sqrt(math.factorial(k)))
        assert gradient(balancer, net, True, True) == pytest.approx([-length, -length], rel=1e-5)


def test_with_a_constant_factor_as_in_libmtl_what_is_left_of_the_start_falls_by_it_each_step() -> None:
    """With one gradient g throughout ghat_k = (1 - beta^k) g."""
    net = pair()
    balancer = DbMtl(DbMtlOptions(beta=0.9, fade=False), net.tasks)
    for k in range(1, 6):
        length = 2 * (1 - 0.9**k)
        assert gradient(balancer, net, True, True) == pytest.approx([-length, -length], rel=1e-5)


def test_it_follows_the_recurrence_as_the_network_moves_and_tasks_come_and_go() -> None:
    generator = np.random.default_rng(0)
    sizes, centers = [1.0, 5.0, 0.2], generator.normal(size=(3, 4))
    net = Quadratic(sizes, centers.tolist())
    balancer = DbMtl(DbMtlOptions(beta=0.7), net.tasks)
    smooth, seen = np.zeros((3, 4)), [0, 0, 0]
    for step in range(12):
        here = [True, step % 2 == 0, step % 3 != 0]
        point = generator.normal(size=4)
        with torch.no_grad():
            net.weight.copy_(torch.from_numpy(point))
        expected = np.zeros(4)
        lengths: list[float] = []
        units: list[NDArray[np.float64]] = []
        for task in (0, 1, 2):
            if not here[task]:
                continue
            seen[task] += 1
            away = point - centers[task]
            of_log = 2 * away / (away @ away)  # a (W - c) / (a |W - c|^2 / 2)
            kept = 0.7 / math.sqrt(seen[task])
            smooth[task] = kept * smooth[task] + (1 - kept) * of_log
            lengths.append(float(np.linalg.norm(smooth[task])))
            units.append(smooth[task] / lengths[-1])
        expected = max(lengths) * np.sum(units, axis=0)
        assert gradient(balancer, net, *here) == pytest.approx(expected.tolist(), rel=1e-4)


def test_three_steps_by_hand_the_second_without_a_task() -> None:
    """With beta 1/2, b is .5, .353553 and .288675 in a task's first three steps.

    1: h = (3, 4) and (0, 1), so 5 ((.6, .8) + (0, 1)).
    2: h_0 = b (3, 4) + (1 - b) (6, 8) = (4.939340, 6.585786), and it is alone.
    3: h_0 = b h_0 = (1.425865, 1.901153) of length 2.376441, and h_1 = (0, 1.646447), for it is its second.
    """
    balancer = DbMtl(DbMtlOptions(beta=0.5), pair().tasks)

    def step(rows: list[list[float]], tasks: list[int]) -> list[float]:
        made = balancer.combine(torch.tensor(rows, dtype=torch.float32), torch.ones(len(rows)), torch.tensor(tasks))
        assert made.own is None
        found: list[float] = made.shared.tolist()
        return found

    assert step([[6, 8], [0, 2]], [0, 1]) == pytest.approx([3, 9])
    assert step([[6, 8]], [0]) == pytest.approx([4.939340, 6.585786])
    assert step([[0, 0], [0, 2]], [0, 1]) == pytest.approx([1.425865, 4.277594])


def test_the_parameters_of_one_task_get_the_gradient_of_its_logarithm() -> None:
    net = pair(own=2.0)  # losses (4, 4)
    gradient(DbMtl(DbMtlOptions(), net.tasks), net, True, True)
    assert [value.grad.item() for value in net.own if value.grad is not None] == pytest.approx([0.5, 0.5])


def test_a_gradient_of_zero_gives_numbers() -> None:
    net = Quadratic([1.0, 4.0], [[0.0, 0.0], [0.0, 1.0]])  # at the optimum of the first task
    balancer = DbMtl(DbMtlOptions(beta=0), net.tasks)
    assert gradient(balancer, net, True, True) == pytest.approx([0, -2], rel=1e-5)
    assert gradient(balancer, net, True, False) == [0, 0]


def test_state_goes_through_a_state_dict_before_and_after_the_first_step() -> None:
    net = pair()
    balancer, other = (DbMtl(DbMtlOptions(), net.tasks) for _ in range(2))
    other.load_state_dict(balancer.state_dict())
    assert gradient(other, net, True, True) == gradient(balancer, net, True, True)
    kept = balancer.state_dict()
    third = DbMtl(DbMtlOptions(), net.tasks)
    third.load_state_dict(kept)
    later = gradient(balancer, net, True, False), gradient(balancer, net, True, True)
    assert later == (gradient(third, net, True, False), gradient(third, net, True, True))
