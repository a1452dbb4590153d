"""The task weights that balancers use: what they mean, and what the record keeps of them."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench import registry
from mtbench.contract import GradientBalancer, Losses, RepresentationBalancer, Task
from mtbench.contract.options import render_value
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.diagnostics.weights import WeightMeter
from tests.train.runs import CPU, run, spec_of

NO_SUM = {"graddrop"}
"""The balancer whose shared gradient is no weighted sum of the tasks' gradients."""
PAST = {"db-mtl"}
"""The balancer whose weights are those of smoothed gradients, which at the first step are a part of the gradients."""


def with_options(balancer: str) -> str:
    plugin: Any = registry.load("balancer", balancer)
    example = plugin.conformance.example(parse_dataset("toy-all").tasks())
    return ":".join([f"branches+{balancer}", *(f"{name}={value}" for name, value in example.items())])


def balancers() -> list[str]:
    return [name for name, entry in registry.entries("balancer").items() if entry.distribution == "mtbench"]


def first_step(method: str, dataset: str = "toy-all", **settings: Any) -> tuple[Assembly, Losses, list[torch.Tensor]]:
    """Return one step: the losses with the weights that were used, and the gradients of the shared parameters."""
    made = assemble(spec_of(method, dataset, **settings), root=Path(), device=CPU)
    torch.manual_seed(0)
    losses = made.balancer.backward(made.network, made.splits["train"].batch(torch.arange(32)))
    shared = [parameter.grad for parameter in made.network.shared_parameters()]
    return made, losses, [gradient for gradient in shared if gradient is not None]


def weighted_sum(made: Assembly, weights: torch.Tensor) -> list[torch.Tensor]:
    """sum_t w_t dL_t, L_t the mean loss of task t, in the shared parameters."""
    losses = made.network.losses(made.splits["train"].batch(torch.arange(32)))
    used = losses.present_mask
    total = (weights.where(used, 0.0) * losses.means).sum()
    return list(torch.autograd.grad(total, made.network.shared_parameters()))


def scaled() -> Iterator[tuple[str, str]]:
    """Yield every balancer with every gradient scale that it has."""
    for balancer in sorted(set(balancers()) - NO_SUM):
        method = parse_method(with_options(balancer))
        made = method.balancer_class(method.balancer_options, parse_dataset("toy-all").tasks())
        for scale in ("native", "sum", "matched"):
            if scale != "sum" or not isinstance(made, GradientBalancer) or made.gain(2) is not None:
                yield balancer, scale


@pytest.mark.parametrize(("balancer", "scale"), list(scaled()))
def test_the_shared_gradient_is_the_sum_of_the_tasks_gradients_with_the_recorded_weights(
    balancer: str, scale: str
) -> None:
    made, losses, found = first_step(with_options(balancer), **{"gradient-scale": scale})
    assert losses.weights is not None
    smoothed = 1 - made.balancer.options.beta if balancer in PAST else 1.0
    expected = [smoothed * gradient for gradient in weighted_sum(made, losses.weights)]
    difference = sum(float((a - b).square().sum()) for a, b in zip(found, expected, strict=True)) ** 0.5
    assert difference < 1e-4 * sum(float(b.square().sum()) for b in expected) ** 0.5


@pytest.mark.parametrize("balancer", sorted(NO_SUM))
def test_where_the_shared_gradient_is_no_such_sum_there_are_no_weights(balancer: str) -> None:
    assert first_step(with_options(balancer))[1].weights is None
    assert {point.weights for point in run(spec_of(with_options(balancer))).curve} == {None}


def test_an_absent_task_has_no_weight() -> None:
    _, losses, _ = first_step("uniform", "toy-partial")
    assert losses.weights is not None
    assert losses.weights.isnan().tolist() == (~losses.present_mask).tolist()


@pytest.mark.parametrize(
    ("method", "expected"),
    [("uniform", {"upper": 0.5, "lower": 0.5}), ("branches+fixed:weights=.3/.7", {"upper": 0.3, "lower": 0.7})],
)
def test_the_record_has_weights_that_never_change_as_they_are(method: str, expected: dict[str, float]) -> None:
    curve = run(spec_of(method)).curve
    assert [point.epoch for point in curve] == [1, 2, 3]
    for point in curve:
        assert point.weights is not None
        for task, weight in expected.items():
            found = point.weights[task]
            assert (found.mean, found.low, found.high) == pytest.approx((weight, weight, weight), rel=1e-6)


def test_weights_of_mgda_are_means_and_ranges_of_points_of_the_simplex() -> None:
    curve = run(spec_of("moo")).curve
    assert [point.epoch for point in curve] == [1, 2, 3]
    for point in curve:
        assert point.weights is not None
        assert set(point.weights) == {"upper", "lower"}
        assert sum(weight.mean for weight in point.weights.values()) == pytest.approx(1, rel=1e-5)
        assert all(0 <= weight.low <= weight.mean <= weight.high <= 1 for weight in point.weights.values())


def test_a_network_that_draws_one_task_per_image_weights_tasks_by_their_counts() -> None:
    (point, *_) = run(spec_of("td", epochs="1", batch="96")).curve
    assert point.weights is not None
    assert sum(weight.mean for weight in point.weights.values()) == pytest.approx(1)
    assert all(weight.mean * 96 == pytest.approx(round(weight.mean * 96)) for weight in point.weights.values())


def steps(*weights: tuple[float, float]) -> Iterator[Losses]:
    for row in weights:
        counts = torch.tensor([0 if math.isnan(weight) else 4 for weight in row])
        yield Losses(means=torch.ones(2), counts=counts, base_weights=torch.ones(2)).weighted(torch.tensor(row))


def test_a_meter_keeps_the_mean_and_the_range_of_the_steps_that_a_task_is_present_in() -> None:
    tasks = parse_dataset("toy-all").tasks()
    meter = WeightMeter(tasks, CPU)
    assert meter.result() is None
    for losses in steps((1.0, 3.0), (2.0, math.nan), (6.0, 5.0)):
        meter.observe(losses)
    other = WeightMeter(tasks, CPU)
    other.restore(meter.state())
    for each in (meter, other):
        found = each.result()
        assert found is not None
        assert [(weight.mean, weight.low, weight.high) for weight in found.values()] == [(3, 1, 6), (4, 3, 5)]
    meter.clear()
    assert meter.result() is None


def test_a_balancer_in_the_representation_has_the_options_and_the_gain_of_its_rule() -> None:
    rules = {}
    for name in balancers():
        plugin: Any = registry.load("balancer", name)
        if issubclass(plugin, RepresentationBalancer):
            rules[name] = plugin.Rule
            tasks: tuple[Task, ...] = parse_dataset("toy-all").tasks()
            made = plugin(plugin.Options(), tasks)
            assert isinstance(made.rule, plugin.Rule)
            assert issubclass(plugin.Options, plugin.Rule.Options)
            assert made.gain(3) == made.rule.gain(3)
            assert set(made.state_dict()) == {f"rule.{key}" for key in made.rule.state_dict()}
            assert render_value(made.learning_rate) == render_value(made.rule.learning_rate)
    assert set(rules) == {"aligned-mtl-ub", "imtl-ub", "mgda-ub"}
