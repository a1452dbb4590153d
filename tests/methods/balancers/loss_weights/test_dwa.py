import pytest
import torch
from torchjd.scalarization import DWA

from mtbench_methods.balancers.loss_weights.dwa import Dwa, DwaOptions
from mtbench_toys.quadratic import losses_of
from tests.train.runs import run, spec_of

NAN = float("nan")


def after(*epochs: list[float], tasks: int = 2, temperature: float = 2.0) -> Dwa:
    """Return the balancer after epochs with these mean losses."""
    balancer = Dwa(DwaOptions(temperature=temperature), [None] * tasks)  # type: ignore[list-item]
    for means in epochs:
        balancer.end_epoch(torch.tensor(means, dtype=torch.float64))
    return balancer


def weights(balancer: Dwa, present: list[bool] | None = None) -> list[float]:
    """Return the weights relative to the unweighted loss."""
    losses = losses_of([1.0] * len(balancer.tasks), present=present)
    return (balancer.weigh(losses) / losses.base_weights.clamp(min=1e-9)).tolist()


def test_a_task_that_falls_slowly_weighs_more() -> None:
    """Rates .5 and .9, so w = 2 / (1 + exp(+-.4 / temperature))."""
    assert weights(after([4.0, 2.0], [2.0, 1.8])) == pytest.approx([0.900332, 1.099668], abs=1e-6)
    assert weights(after([4.0, 2.0], [2.0, 1.8], temperature=0.2)) == pytest.approx([0.238406, 1.761594], abs=1e-6)


def test_the_first_two_epochs_are_uniform() -> None:
    assert weights(after()) == pytest.approx([1, 1])
    assert weights(after([4.0, 2.0])) == pytest.approx([1, 1])


def test_it_is_torchjds_epoch_by_epoch() -> None:
    ours, theirs = after(tasks=3), DWA()
    generator = torch.Generator().manual_seed(0)
    for _ in range(6):
        means = torch.rand(3, generator=generator) + 0.1
        losses = losses_of(means.tolist())
        assert ours.scalar(losses).item() * 3 == pytest.approx(theirs(losses.means).item(), rel=1e-5)
        theirs.step()
        ours.end_epoch(means.double())


def test_equal_rates_are_uniform_on_any_network() -> None:
    losses = losses_of([1.0, 2.0, 3.0], base_weights=[0.5, 0.3, 0.2])
    balancer = after([4.0, 2.0, 8.0], [2.0, 1.0, 4.0], tasks=3)
    assert balancer.weigh(losses).tolist() == pytest.approx([0.5, 0.3, 0.2])


def test_weights_are_those_of_the_tasks_that_are_present() -> None:
    balancer = after([4.0, 9.0, 2.0], [2.0, 9.0, 1.8], tasks=3)
    assert weights(balancer, [True, False, True])[::2] == pytest.approx([0.900332, 1.099668], abs=1e-6)
    assert weights(balancer, [False, False, True])[2] == pytest.approx(1)


def test_a_task_that_was_absent_keeps_its_rate() -> None:
    before = after([4.0, 2.0], [2.0, 1.8])
    assert weights(after([4.0, 2.0], [2.0, 1.8], [1.0, NAN])) == pytest.approx(weights(before))
    again = after([4.0, 2.0], [2.0, NAN], [1.0, 1.8])  # the same rates, the second from its last two epochs
    assert weights(again) == pytest.approx(weights(before))


def test_a_task_that_has_not_been_seen_yet_has_rate_one() -> None:
    known = after([4.0, 1.0], [2.0, 1.0])
    assert weights(after([4.0, NAN], [2.0, NAN])) == pytest.approx(weights(known))


def test_a_loss_of_zero_gives_numbers() -> None:
    found = weights(after([1.0, 0.0], [0.5, 0.0], [0.25, 0.0]))
    assert torch.tensor(found).isfinite().all()
    assert sum(found) == pytest.approx(2)


@pytest.mark.parametrize("network", ["branches", "td"])
def test_two_epochs_of_it_are_two_of_uniform(network: str) -> None:
    """On a network that answers all tasks at once, and on one that answers one an image."""
    ours, plain = (run(spec_of(f"{network}+{name}", epochs="2")).model for name in ("dwa", "uniform"))
    assert all(torch.allclose(ours[name], plain[name], atol=1e-5) for name in plain)
