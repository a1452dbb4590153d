"""Losses outside what a balancer is defined for end the run, with the task and the reason."""

import dataclasses
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from mtbench import registry
from mtbench.conformance.dataset.least_loss import declares_signs
from mtbench.conformance.dataset.measuring import measures_as_declared
from mtbench.conformance.fault import Fault
from mtbench.contract import Balancer, Batch, Losses, NoOptions, Normals, Regression, Scalarization
from mtbench.contract.options import parse_options
from mtbench.errors import NegativeLoss, NonFiniteLoss, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.train.assemble import assemble
from mtbench.train.guard import guard
from mtbench_toys.quadratic import Quadratic, batch_of, losses_of
from tests.train.runs import CPU, run, spec_of

NEED = {
    *("db-mtl", "dwa", "famo", "gls", "gradnorm", "imtl", "imtl-l", "imtl-ub", "scale-invariant", "uncertainty"),
    "uw-so",
}
"""Balancers of logarithms, roots or ratios of losses, and of scales that have an optimum for a positive loss alone."""
BY_LOSS = {"mgda:normalize=loss", "mgda:normalize=loss+", "mgda-ub:normalize=loss", "mgda-ub:normalize=loss+"}
STEP = "at step 3 (epoch 1, its step 3)"


def shipped() -> list[str]:
    return [name for name, entry in registry.entries("balancer").items() if entry.distribution == "mtbench"]


def built(text: str, network: Quadratic) -> Balancer:
    chosen = parse_method(f"branches+{text}")
    options, plugin = chosen.balancer_options, chosen.balancer_class
    if (example := plugin.conformance.example(network.tasks)) and options == plugin.Options():
        options = parse_options(plugin.Options, example, owner=text)
    return plugin(options, network.tasks)


class Shifted(Quadratic):
    """`Quadratic` with a constant added to each loss."""

    def __init__(self, constants: Sequence[float], centers: Sequence[Sequence[float]]) -> None:
        super().__init__([1.0, 3.0], centers, own=0.5)
        self.constants = torch.tensor(constants)

    def losses(self, batch: Batch) -> Losses:
        found = super().losses(batch)
        return dataclasses.replace(found, means=found.means + self.constants * found.present_mask)


def beginning_at(first: float, second: float) -> Shifted:
    """Return losses with these values before the first step; their gradients do not depend on them."""
    network = Shifted([0.0, 0.0], [[1.0, 0.0, 0.2], [-0.4, 0.8, 0.1]])
    means = network.losses(batch_of(True, True)).means.detach()
    network.constants = torch.tensor([first, second]) - means
    return network


def gradients(text: str, network: Shifted, steps: int = 4) -> list[Tensor]:
    """Return the gradients of some steps of gradient descent, each of which is an epoch."""
    torch.manual_seed(0)
    balancer, batch, found = built(text, network), batch_of(True, True), []
    for _ in range(steps):
        network.zero_grad()
        losses = balancer.backward(network, batch)
        found.append(torch.cat([cast(Tensor, value.grad).flatten() for value in network.parameters()]))
        with torch.no_grad():
            for value in (*network.parameters(), *balancer.parameters()):
                value.sub_(0.01 * cast(Tensor, value.grad))
        balancer.after_step(network, batch)
        balancer.end_epoch(losses.totals.detach().double())
    return found


@pytest.mark.parametrize("name", shipped())
def test_a_balancer_takes_losses_of_any_sign_or_says_that_it_does_not(name: str) -> None:
    """At losses (-1, 2) it gives what it gives at (9, 12), or the loop refuses the first with the reason."""
    network = beginning_at(-1, 2)
    balancer = built(name, network)
    assert balancer.needs_positive_losses == (name in NEED)
    if name not in NEED and not name.endswith("-ub"):
        for here, there in zip(gradients(name, network), gradients(name, beginning_at(9, 12)), strict=True):
            torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-5)
    losses = network.losses(batch_of(True, True))
    if name in NEED:
        with pytest.raises(NegativeLoss) as error:
            guard(losses, network.tasks, balancer, STEP)
        assert str(error.value) == (
            f"the loss of task 'task0' is -1 {STEP}, and balancer '{type(balancer).__name__}' is not defined for "
            "negative losses: it takes logarithms, roots or ratios of losses. Use a balancer for losses of any sign, "
            "such as uniform, or a loss that is not negative."
        )
    else:
        guard(losses, network.tasks, balancer, STEP)


@pytest.mark.parametrize("text", sorted(BY_LOSS))
def test_mgda_needs_positive_losses_where_it_divides_gradients_by_them(text: str) -> None:
    network = beginning_at(-1, 2)
    assert built(text, network).needs_positive_losses
    assert not built(text.partition(":")[0] + ":normalize=l2", network).needs_positive_losses


@pytest.mark.parametrize("text", [*sorted(NEED - {"imtl-ub"}), "mgda:normalize=loss", "mgda:normalize=loss+"])
def test_a_loss_that_has_come_to_zero_does_no_harm(text: str) -> None:
    """Once a task is learned its loss is 0, and so is its gradient."""
    network = Shifted([0.0, 0.0], [[0.0, 0.0, 0.0], [-0.4, 0.8, 0.1]])
    with torch.no_grad():
        network.own[0].zero_()
    balancer = built(text, network)
    losses = network.losses(batch_of(True, True))
    assert losses.means[0] == 0
    guard(losses, network.tasks, balancer, STEP)
    assert all(torch.isfinite(gradient).all() for gradient in gradients(text, network, steps=50))


def guarded(means: Sequence[float], *, auxiliary: Sequence[float] | None = None, present: Sequence[bool] = ()) -> None:
    losses = losses_of(means, present=present or None)
    if auxiliary is not None:
        losses = dataclasses.replace(losses, auxiliary=torch.tensor(auxiliary))
    network = beginning_at(1, 1)
    guard(losses, network.tasks, built("famo", network), STEP)


def test_the_sign_that_counts_is_that_of_the_loss_with_its_auxiliary_terms() -> None:
    guarded([-1.0, 2.0], auxiliary=[1.5, 0.0])
    with pytest.raises(NegativeLoss, match=r"^the loss of task 'task1' is -0\.5 at step 3 "):
        guarded([1.0, 2.0], auxiliary=[0.0, -2.5])


def test_an_absent_task_has_no_sign() -> None:
    guarded([0.0, 2.0], auxiliary=[-1.0, 0.0], present=[False, True])


def test_every_negative_loss_is_named() -> None:
    with pytest.raises(NegativeLoss, match=r"^the loss of task 'task0' is -1, the loss of task 'task1' is -0\.25 at"):
        guarded([-1.0, -0.25])


def test_a_loss_that_is_not_finite_comes_before_one_that_is_negative() -> None:
    with pytest.raises(NonFiniteLoss, match=r"^the loss of task 'task1' became nan at step 3 "):
        guarded([-1.0, math.nan])


class Logs(Scalarization):
    """A stranger's balancer, which says what it needs."""

    needs_positive_losses = True

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].log().sum()


class Roots(Logs):
    """Another one, which inherits what it needs."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].sqrt().sum()


@pytest.mark.parametrize("plugin", [Logs, Roots])
def test_a_plug_in_balancer_declares_it_in_one_line(plugin: type[Logs]) -> None:
    network = beginning_at(-1, 2)
    balancer, batch = plugin(NoOptions(), network.tasks), batch_of(True, True)
    with pytest.raises(NegativeLoss, match=f"balancer '{plugin.__name__}' is not defined"):
        guard(balancer.backward(network, batch), network.tasks, balancer, STEP)


def density(_: Regression, output: Tensor, target: Tensor) -> Tensor:
    """Return a Gaussian likelihood with a standard deviation of .05: -3 + 200 (y - t)^2."""
    return 0.5 * ((output.squeeze(1) - target) / 0.05).square() + math.log(0.05)


@pytest.mark.parametrize("balancer", ["famo", "imtl-ub", "mgda:normalize=loss"])
def test_planning_refuses_a_likelihood_to_a_balancer_of_logarithms(
    balancer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Regression, "has_negative_losses", True)
    with pytest.raises(UsageError) as error:
        spec_of(f"branches+{balancer}", "toy-numbers:scale=1/2")
    name = str(parse_method(f"branches+{balancer}").balancer_choice)
    assert str(error.value) == (
        f"balancer '{name}' is not defined for negative losses, and task 'upper' of dataset 'toy-numbers:scale=1/2' is "
        "of kind Regression, whose losses can be negative. Use a balancer for losses of any sign, such as 'uniform'."
    )
    spec_of("branches+mgda", "toy-numbers:scale=1/2")


def test_toy2_without_its_shift_is_refused_to_every_balancer_that_needs_positive_losses() -> None:
    refused = set()
    for name in shipped():
        if name.endswith("-ub"):
            continue
        try:
            plan(Request(methods=[f"branches+{with_example(name)}"], datasets=["toy2:shift=0"], settings={}, seeds=[0]))
        except UsageError as error:
            assert "is not defined for negative losses" in str(error)  # noqa: PT017
            refused.add(name)
    assert refused == NEED - {"imtl-ub"}


def with_example(name: str) -> str:
    plugin: Any = registry.load("balancer", name)
    example = plugin.conformance.example(parse_dataset("toy2").tasks())
    return ":".join([name, *(f"{key}={value}" for key, value in example.items())])


@pytest.mark.parametrize(("shift", "negative"), [(0, True), (19.9, True), (20, False), (21, False)])
def test_a_kind_may_say_it_by_its_options(shift: float, negative: bool) -> None:
    kinds = [task.kind for task in parse_dataset(f"toy2:shift={shift}").open(Path()).tasks]
    assert [kind.has_negative_losses for kind in kinds] == [negative] * 2


def test_the_check_of_a_dataset_finds_a_kind_that_does_not_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    measures_as_declared("toy-numbers", Path())
    monkeypatch.setattr(Regression, "losses", density)
    with pytest.raises(Fault, match=r"^a loss of task 'upper' can be -.*, and its kind does not declare"):
        measures_as_declared("toy-numbers", Path())
    monkeypatch.setattr(Regression, "has_negative_losses", True)
    measures_as_declared("toy-numbers", Path())


@pytest.mark.parametrize(
    "toy", ["toy-all", "toy-triplets", "toy-retrieval", "toy-maps", "toy-surfaces", "toy2", "toy-regression"]
)
def test_no_kind_that_ships_has_negative_losses_and_does_not_say_so(toy: str) -> None:
    declares_signs(assemble(spec_of("fsn" if toy == "toy-retrieval" else "uniform", toy), root=Path(), device=CPU))


@pytest.mark.parametrize("balancer", ["scale-invariant", "gls", "uncertainty"])
def test_training_ends_at_the_first_negative_loss_of_a_kind_that_says_nothing(
    balancer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Regression, "losses", density)
    with pytest.raises(NegativeLoss) as error:
        run(spec_of(f"branches+{balancer}", "toy-numbers", epochs="100", lr=".003"))
    assert re.match("the loss of task '(upper|lower)' is -", str(error.value))
    assert "learning rate" not in str(error.value)


def test_a_loss_that_is_negative_after_the_step_alone_is_found_in_the_second_forward_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Regression, "losses", lambda _, output, target: (output + 0.05).sum() + 0 * target)
    with pytest.raises(NegativeLoss, match=r"^the loss of task '[a-z]+' is -.* after the update at step \d+ \(epoch"):
        run(spec_of("branches+famo", "toy-numbers", optimizer="sgd", lr=".1", momentum="0", images="16"))


def test_losses_of_any_sign_are_trained_on_by_a_balancer_that_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Regression, "losses", density)
    trained = run(spec_of("branches+stch", "toy-numbers", epochs="40", lr=".003", curve="5"))
    assert trained.curve[-1].train_losses["upper"] < 0


def test_normals_that_are_right_to_rounding_have_a_loss_of_zero_and_not_below() -> None:
    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(64, 3, 5, 5, generator=generator), dim=1)
    assert (Normals().losses(3 * normals, normals) >= 0).all()
