import pytest
import torch

from mtbench.backbones.lenet import LeNet, LeNetOptions
from mtbench.contract import NoOptions, Setup
from mtbench_methods.balancers.loss_weights.gradnorm import GradNorm, GradNormOptions
from mtbench_methods.networks.branches import Branches
from mtbench_toys.quadratic import Quadratic, batch_of
from tests.train.runs import run, spec_of

NAN = float("nan")


def learning(network: Quadratic, initial: list[float], **options: float) -> GradNorm:
    """Return the balancer after an epoch with these mean losses."""
    balancer = GradNorm(GradNormOptions(**options), network.tasks)
    balancer.end_epoch(torch.tensor(initial, dtype=torch.float64))
    return balancer


def gradient(balancer: GradNorm, network: Quadratic, *present: bool) -> float:
    network.zero_grad()
    balancer.backward(network, batch_of(*present))
    assert network.weight.grad is not None
    return network.weight.grad.item()


def pair() -> Quadratic:
    """L = (2, 2), and gradients (-2, -4) of norms n = (2, 4)."""
    return Quadratic([1.0, 4.0], [[2.0], [1.0]])


def test_the_update_is_that_of_the_rule_solved_by_hand() -> None:
    """r = (2/4, 2/2) / .75 = (2/3, 4/3), mean G = 3, targets 3 r^1.5 = (1.63, 4.62) against G = (2, 4).

    So the gradient is (+2, -4), and Adam's steps are its rate, .025, as long as the gradient stays the same. The
    network's gradient is the mean of w_t g_t with the weights from before the step.
    """
    net = pair()
    balancer = learning(net, [4.0, 2.0])
    assert gradient(balancer, net, True, True) == pytest.approx(-3)
    assert balancer.weights.tolist() == pytest.approx([0.975, 1.025])
    assert gradient(balancer, net, True, True) == pytest.approx((0.975 * -2 + 1.025 * -4) / 2)
    assert balancer.weights.tolist() == pytest.approx([0.95, 1.05])


def test_with_alpha_zero_the_shorter_gradient_gains_weight() -> None:
    net = pair()
    balancer = learning(net, [4.0, 2.0], alpha=0)
    gradient(balancer, net, True, True)
    assert balancer.weights.tolist() == pytest.approx([1.025, 0.975])


def test_with_alpha_zero_weighted_norms_become_equal() -> None:
    """n = (1, 10) and a sum of 2: w = (20/11, 2/11)."""
    net = Quadratic([1.0, 10.0], [[1.0], [1.0]])
    balancer = learning(net, [1.0, 1.0], alpha=0, lr=0.01)
    for _ in range(600):
        gradient(balancer, net, True, True)
    assert balancer.weights.tolist() == pytest.approx([20 / 11, 2 / 11], abs=0.03)


def test_weights_are_renormalized_to_sum_to_the_number_of_tasks() -> None:
    """alpha 0, n = (1, 1, 10): two weights step up by .025, one down, and all are divided by 3.025 / 3."""
    net = Quadratic([1.0, 1.0, 10.0], [[1.0], [1.0], [1.0]])
    balancer = learning(net, [1.0, 1.0, 1.0], alpha=0)
    gradient(balancer, net, True, True, True)
    assert balancer.weights.tolist() == pytest.approx([w * 3 / 3.025 for w in (1.025, 1.025, 0.975)])
    assert balancer.weights.sum().item() == pytest.approx(3)


def test_the_first_epoch_is_uniform() -> None:
    net = pair()
    balancer = GradNorm(GradNormOptions(), net.tasks)
    for _ in range(3):
        assert gradient(balancer, net, True, True) == pytest.approx(-3)
    assert balancer.weights.tolist() == [1, 1]


def test_what_a_task_lost_at_first_is_not_forgotten() -> None:
    net = pair()
    balancer = learning(net, [4.0, 2.0])
    balancer.end_epoch(torch.tensor([1.0, 1.0], dtype=torch.float64))
    gradient(balancer, net, True, True)
    assert balancer.weights.tolist() == pytest.approx([0.975, 1.025])


def test_an_absent_task_keeps_its_weight_and_the_others_their_sum() -> None:
    net = Quadratic([1.0, 4.0, 1.0], [[2.0], [1.0], [5.0]])
    balancer = learning(net, [4.0, 2.0, 1.0])
    for _ in range(5):
        gradient(balancer, net, True, True, True)
    before = balancer.weights.tolist()
    gradient(balancer, net, True, True, False)
    after = balancer.weights.tolist()
    assert after[2] == before[2]
    assert after[0] != before[0]
    assert sum(after) == pytest.approx(3)


def test_weights_of_the_tasks_present_are_relative_to_each_other() -> None:
    """With w = (.975, 1.025) a lone task still has the whole of its own loss: weights equal among those present."""
    net = pair()
    balancer = learning(net, [4.0, 2.0])
    gradient(balancer, net, True, True)
    assert gradient(balancer, net, True, False) == pytest.approx(-2)
    assert gradient(balancer, net, False, True) == pytest.approx(-4)


def test_a_task_that_appears_late_starts_to_learn_an_epoch_later() -> None:
    net = Quadratic([1.0, 4.0, 1.0], [[2.0], [1.0], [5.0]])
    balancer = learning(net, [4.0, 2.0, NAN])
    gradient(balancer, net, True, True, True)
    assert balancer.weights.tolist() == pytest.approx([0.975, 1.025, 1])
    balancer.end_epoch(torch.tensor([2.0, 2.0, 12.5], dtype=torch.float64))
    gradient(balancer, net, True, True, True)
    assert balancer.weights[2] != 1


@pytest.mark.parametrize("initial", [[0.0, 2.0], [0.0, 0.0]])
def test_losses_of_zero_give_numbers(initial: list[float]) -> None:
    net = Quadratic([1.0, 4.0], [[0.0], [1.0]])  # at the optimum of the first task
    balancer = learning(net, initial)
    for _ in range(3):
        gradient(balancer, net, True, True)
    assert balancer.weights.isfinite().all()
    assert balancer.weights.sum().item() == pytest.approx(2)


def test_weights_stay_positive() -> None:
    net = Quadratic([1.0, 1e6], [[1.0], [1.0]])
    balancer = learning(net, [1.0, 1.0], alpha=0, lr=0.5)
    for _ in range(20):
        gradient(balancer, net, True, True)
        assert balancer.weights.min() > 4e-4
        assert balancer.weights.sum().item() == pytest.approx(2)


def test_the_parameters_of_one_task_get_its_weighted_gradient() -> None:
    net = Quadratic([1.0, 4.0], [[2.0], [1.0]], own=3.0)
    balancer = learning(net, [4.0, 2.0])
    gradient(balancer, net, True, True)
    weights = balancer.weights.tolist()
    gradient(balancer, net, True, True)
    assert [value.grad.item() for value in net.own if value.grad is not None] == pytest.approx(
        [3 * weight / 2 for weight in weights]
    )


@pytest.mark.parametrize("network", ["branches", "td"])
def test_an_epoch_of_it_is_one_of_uniform(network: str) -> None:
    ours, plain = (run(spec_of(f"{network}+{name}", epochs="1")).model for name in ("gradnorm", "uniform"))
    assert all(torch.allclose(ours[name], plain[name], atol=1e-5) for name in plain)


def test_lengths_are_measured_in_the_fully_connected_layer_of_lenet() -> None:
    """320 to 50 for the images of Multi-MNIST."""
    setup = Setup(
        tasks=pair().tasks, backbone_class=LeNet, backbone_options=LeNetOptions(), input_shape=(1, 28, 28), seed=0
    )
    network = Branches(NoOptions(), setup)
    assert network.last_shared_layer().shape == (50, 320)
    assert network.last_shared_layer() is network.backbone.neck.get_parameter("1.weight")
