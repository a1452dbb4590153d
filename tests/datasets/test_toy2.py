"""The two losses of CAGrad's plane, its Pareto front, and what balancers do there."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from mtbench.cli.data.samples.page import sample_page
from mtbench.contract import Balancer
from mtbench.errors import PluginError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.registry import entries, load
from mtbench.train.trained import Trained, train
from mtbench_datasets.toy2 import front, gap, objective
from tests.builders.keepers import Forgetful

CPU = torch.device("cpu")


def run(method: str, dataset: str = "toy2", protocol: str = "quick", **settings: str) -> Trained:
    spec = plan(Request(methods=[method], datasets=[dataset], protocol=protocol, settings=settings, seeds=[0]))[0]
    return train(spec, root=Path(), device=CPU, keeper=Forgetful())


def both(theta: Tensor) -> Tensor:
    """(n, 2)"""
    return torch.stack([objective(theta, 1), objective(theta, -1)], dim=1)


def at(x: float, y: float) -> list[float]:
    values: list[float] = both(torch.tensor([[x, y]], dtype=torch.float64))[0].tolist()
    return values


def plane(points: int) -> Tensor:
    """Return a grid over the papers' square, (points^2, 2)."""
    side = torch.linspace(-11, 11, points, dtype=torch.float64)
    return torch.cartesian_prod(side, side)


def test_the_losses_at_points_worked_out_by_hand() -> None:
    assert at(0, 0) == [0, 0]  # both factors are 0
    d = math.tanh(4)
    assert at(7, -8) == pytest.approx([-20 * d, (19.6 - 20) * d])
    assert at(-7, -8) == pytest.approx([(19.6 - 20) * d, -20 * d])
    assert at(0, -18) == pytest.approx([4.9 + 1 - 20, 4.9 + 1 - 20], abs=1e-5)  # d = 1
    assert at(-5, 20) == pytest.approx([math.log(5e-6) + 6, math.log(5) + 6])  # on the floor of L1's valley


def test_the_losses_are_those_of_the_released_code_in_the_papers_form() -> None:
    theta = plane(60)
    x, y = theta.T.numpy()
    f1 = np.log(np.maximum(abs(0.5 * (-x - 7) - np.tanh(-y)), 5e-6)) + 6
    f2 = np.log(np.maximum(abs(0.5 * (-x + 3) + np.tanh(-y) + 2), 5e-6)) + 6
    g1 = ((-x + 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20
    g2 = ((-x - 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20
    c1, c2 = np.maximum(np.tanh(0.5 * y), 0), np.maximum(np.tanh(-0.5 * y), 0)
    np.testing.assert_allclose(both(theta), np.stack([c1 * f1 + c2 * g1, c1 * f2 + c2 * g2], axis=1), atol=1e-12)


def test_at_the_origin_both_losses_fall_straight_down() -> None:
    """dL/dy = (valley - bowl) / 2 with valley = log 3.5 + 6 and bowl = (49 + 6.4) / 10 - 20; dL/dx is 0."""
    theta = torch.zeros(1, 2, requires_grad=True)
    for side in (1, -1):
        (gradient,) = torch.autograd.grad(objective(theta, side).sum(), theta)
        assert gradient[0].tolist() == pytest.approx([0, (math.log(3.5) + 6 + 14.46) / 2])


def test_gradients_are_those_of_finite_differences() -> None:
    theta = torch.tensor([[-6.0, 3.0], [4.0, 1.0], [8.0, -2.0], [-3.0, -9.0]], dtype=torch.float64)
    for side in (1, -1):
        assert torch.autograd.gradcheck(lambda points, side=side: objective(points, side), theta.requires_grad_())


def test_beside_the_floor_of_a_valley_the_average_goes_across_not_down() -> None:
    floor = 2 * math.tanh(3.0) - 7
    for aside in (-0.05, 0.05):
        theta = torch.tensor([[floor + aside, 3.0]], requires_grad=True)
        (mean,) = torch.autograd.grad(both(theta).mean(1).sum(), theta)
        across, down = mean[0].tolist()
        assert across * aside > 0  # descent leads back to the floor
        assert abs(across) > 10 * abs(down)


@pytest.mark.parametrize("weight", [0, 0.1, 0.25, 0.5, 0.8, 1])
def test_the_front_is_where_scipy_finds_the_least_weighted_sums(weight: float) -> None:
    def total(point: np.ndarray) -> float:
        losses = at(point[0], point[1])
        return weight * losses[0] + (1 - weight) * losses[1]

    found = minimize(total, (1.0, -6.0), tol=1e-14, method="Nelder-Mead").x
    assert found[0] == pytest.approx(7 * (2 * weight - 1), abs=1e-5)
    assert found[1] == pytest.approx(front(torch.tensor([found[0]])).item(), abs=1e-5)


def test_in_its_middle_the_front_is_where_cagrads_figures_draw_it() -> None:
    assert front(torch.zeros(1)).item() == pytest.approx(-8.3552, abs=2e-4)


def test_no_point_of_the_plane_beats_a_point_of_the_front_in_both_losses() -> None:
    x = torch.linspace(-7, 7, 29, dtype=torch.float64)
    best, everywhere = both(torch.stack([x, front(x)], dim=1)), both(plane(600))
    for point in best:
        assert not ((everywhere <= point).all(1) & (everywhere < point).any(1)).any()
    assert (best.diff(dim=0)[:, 0] < 0).all()  # from end to end L1 falls
    assert (best.diff(dim=0)[:, 1] > 0).all()  # and L2 rises


def test_the_gap_is_what_a_fine_sample_of_the_front_says_and_nowhere_negative() -> None:
    x = torch.linspace(-7, 7, 7001, dtype=torch.float64)
    best, theta = both(torch.stack([x, front(x)], dim=1)), plane(40)
    sampled = (both(theta)[:, None] - best).amin(2).amax(1)
    assert torch.allclose(gap(theta), sampled, atol=4e-3)
    assert (gap(theta) >= sampled - 1e-9).all()
    assert gap(plane(300)).min() > -1e-9


def test_the_gap_is_nothing_on_the_front_alone() -> None:
    x = torch.linspace(-7, 7, 101, dtype=torch.float64)
    assert gap(torch.stack([x, front(x)], dim=1)).abs().max() < 1e-9
    assert gap(torch.stack([x, front(x) + 0.1], dim=1)).min() > 5e-5
    assert gap(torch.tensor([[7.5, -8.43]])).item() == pytest.approx(0.025, abs=1e-3)  # L1 = 0.25 / 10 - 20


def test_the_shift_keeps_losses_positive_and_out_of_metrics_and_gradients() -> None:
    shifted, plain = (parse_dataset(text).open(Path()).tasks for text in ("toy2", "toy2:shift=0"))
    theta = plane(100).float()
    for with_, without in zip(shifted, plain, strict=True):
        idle = torch.zeros(len(theta))
        assert with_.kind.losses(theta, idle).min() > 0.9
        assert torch.allclose(with_.kind.losses(theta, idle) - 21, without.kind.losses(theta, idle), atol=1e-5)
        tallies = [task.kind.tally() for task in (with_, without)]
        for tally in tallies:
            tally.add(with_.kind.predict(theta), idle)
        assert tallies[0].score() == tallies[1].score()


def test_an_epoch_is_500_examples_that_are_all_the_same() -> None:
    dataset = parse_dataset("toy2").open(Path())
    split = dataset.load("train", validation=True)
    assert len(split) == 500
    assert isinstance(split.inputs, Tensor)
    assert not split.inputs.any()
    assert [len(dataset.load(name, validation=True)) for name in ("val", "test")] == [1, 1]


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        parse_dataset("toy2").open(Path()).load("val", validation=False)
    assert str(error.value) == (
        "dataset 'toy2' has no split 'val' without validation. Hold one out with --set validation=true. "
        "Its splits: train, test."
    )


def test_it_has_no_page_of_samples(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Toy2 has no page of samples"):
        sample_page(parse_dataset("toy2").open(Path()), tmp_path / "page.png")


def test_averaging_gets_stuck_where_mgda_reaches_the_front() -> None:
    stuck = run("uniform@point:start=-8.5/7.5", epochs="8").results["test"]["L1"].metrics["gap"]
    through = run("branches+mgda@point:start=-8.5/7.5", epochs="8").results["test"]["L1"].metrics["gap"]
    assert stuck > 10
    assert through < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("start", "sticks"), [("0/0", False), ("9/9", True)])
def test_with_the_papers_steps_mgda_reaches_the_front_and_averaging_sticks_if_it_starts_high(
    start: str, sticks: bool
) -> None:
    averaged, mgda = (
        run(f"{method}@point:start={start}", protocol="paper").results["test"]["L1"].metrics["gap"]
        for method in ("uniform", "branches+mgda")
    )
    assert averaged > 15 if sticks else averaged < 1e-3
    assert mgda < 1e-3


def test_alone_each_loss_reaches_its_own_least_value() -> None:
    """From above, each comes to its end of the front, where the other loss is about -0.4."""
    trained = run("single@point:start=-7.5/-0.5", epochs="5", lr="0.02")
    assert [trained.results["test"][name].metrics["objective"] for name in ("L1", "L2")] == pytest.approx(
        [-20, -20], abs=0.1
    )
    assert trained.results["test"]["L1"].loss == pytest.approx(1, abs=0.1)  # the shift is in the loss
    assert trained.model["backbones.0.neck.theta"].flatten()[0].item() == pytest.approx(7, abs=0.2)
    assert trained.model["backbones.1.neck.theta"].flatten()[0].item() == pytest.approx(-7, abs=0.2)


@pytest.mark.parametrize("balancer", sorted(entries("balancer")))
@pytest.mark.parametrize("dataset", ["toy2", "toy2:scale=.1/1"])
def test_every_balancer_is_defined_on_it(balancer: str, dataset: str) -> None:
    try:
        plugin: type[Balancer] = load("balancer", balancer)
    except PluginError as cause:
        pytest.skip(str(cause))
    options = plugin.conformance.example(parse_dataset(dataset).open(Path()).tasks)
    text = ":".join([balancer, *(f"{name}={value}" for name, value in options.items())])
    trained = run(f"branches+{text}@point:start=-4/-2", dataset, epochs="2", images="60")
    before, after = gap(torch.tensor([[-4.0, -2.0]])), trained.results["test"]["L1"].metrics["gap"]
    assert math.isfinite(after)
    assert after < before - 0.1  # in the bowls the losses agree on y
