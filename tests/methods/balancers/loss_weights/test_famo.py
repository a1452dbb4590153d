import pytest
import torch
from torchjd.scalarization import FAMO

from mtbench_methods.balancers.loss_weights.famo import Famo, FamoOptions
from mtbench_toys.quadratic import Quadratic, batch_of, losses_of


def network() -> Quadratic:
    return Quadratic([1.0, 9.0, 0.1], [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])


@pytest.mark.parametrize(("lr", "decay"), [(0.025, 1e-3), (0.3, 0.1)])
def test_it_is_torchjds_step_by_step(lr: float, decay: float) -> None:
    ours, theirs = network(), network()
    balancer = Famo(FamoOptions(lr=lr, weight_decay=decay), ours.tasks)
    scalarizer = FAMO(3, lr=lr, weight_decay=decay)
    optimizers = [torch.optim.Adam(net.parameters(), lr=0.02) for net in (ours, theirs)]
    batch = batch_of(True, True, True)
    for _ in range(30):
        for optimizer in optimizers:
            optimizer.zero_grad()
        balancer.backward(ours, batch)
        scalarizer(theirs.losses(batch).means).backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        balancer.after_step(ours, batch)
        scalarizer.update(theirs.losses(batch).means)
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-5)
    assert torch.allclose(balancer.logits.float(), scalarizer._w.detach(), atol=1e-5)
    assert balancer.logits.abs().min() > 0.01


def test_at_first_a_step_is_the_harmonic_mean_of_the_losses_times_their_logarithms() -> None:
    """z = 1/2, so the gradient in L_t is (1 / L_t) / (1/.5 + 1/2): .8 and .2, a convex combination."""
    losses = losses_of([0.5, 2.0])
    balancer = Famo(FamoOptions(), [None, None])  # type: ignore[list-item]
    gradient = torch.autograd.grad(balancer.scalar(losses), losses.means)[0]
    assert gradient.tolist() == pytest.approx([0.8, 0.2])


def test_the_task_that_fell_least_gains_weight() -> None:
    net = Quadratic([1.0, 1.0], [[1.0], [1.0]])
    balancer = Famo(FamoOptions(weight_decay=0), net.tasks)
    balancer.backward(net, batch_of(True, True))
    with torch.no_grad():
        net.centers[0] -= 0.5  # the first loss is a quarter of what it was, the second the same
    balancer.after_step(net, batch_of(True, True))
    assert balancer.logits.tolist() == pytest.approx([-0.025, 0.025], rel=1e-4)  # Adam's first step is its rate


def test_tasks_whose_losses_fall_alike_keep_equal_weights() -> None:
    net = Quadratic([3.0, 3.0], [[1.0], [-1.0]])
    balancer = Famo(FamoOptions(), net.tasks)
    balancer.backward(net, batch_of(True, True))
    with torch.no_grad():
        net.centers *= 0.5
    balancer.after_step(net, batch_of(True, True))
    assert balancer.logits.tolist() == [0, 0]


def test_a_task_that_is_absent_keeps_its_logit_though_it_was_moving() -> None:
    net = network()
    balancer = Famo(FamoOptions(), net.tasks)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)

    def step(*present: bool) -> list[float]:
        optimizer.zero_grad()
        balancer.backward(net, batch_of(*present))
        optimizer.step()
        balancer.after_step(net, batch_of(*present))
        found: list[float] = balancer.logits.tolist()
        return found

    for _ in range(5):
        before = step(True, True, True)
    after = step(True, False, True)
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, True, False]
    alone = step(False, True, False)
    assert alone[0] == after[0]
    assert alone[2] == after[2]


def test_an_absent_task_has_no_part_in_the_step() -> None:
    losses = losses_of([0.5, 2.0, 9.0], present=[True, True, False])
    balancer = Famo(FamoOptions(), [None] * 3)  # type: ignore[list-item]
    gradient = torch.autograd.grad(balancer.scalar(losses), losses.means)[0]
    assert gradient.tolist() == pytest.approx([0.8, 0.2, 0])


def test_it_leaves_no_gradient_and_no_parameter_for_the_loops_optimizer() -> None:
    net = network()
    balancer = Famo(FamoOptions(), net.tasks)
    assert list(balancer.parameters()) == []
    balancer.backward(net, batch_of(True, True, True))
    net.zero_grad()
    balancer.after_step(net, batch_of(True, True, True))
    assert net.weight.grad is None
    assert Famo.forwards == 1
