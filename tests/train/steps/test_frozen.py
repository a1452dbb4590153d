"""Balancing where a part of what tasks share is frozen: by the network itself, or in one of its phases."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench import registry
from mtbench.contract import Backbone, Combined, Network, NoOptions, Setup
from mtbench.errors import PluginError, UsageError
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import assemble
from mtbench.train.loop import fit
from mtbench_methods.balancers.gradient_surgery.pcgrad import PCGrad
from mtbench_methods.networks.branches import Branches
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, spec_of


def freeze(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    """Let backbones be built with parts whose parameters have no gradient, all of them where none is named."""
    build: Callable[[Setup], Backbone] = Setup.build_backbone

    def frozen(setup: Setup) -> Backbone:
        backbone = build(setup)
        for part in parts or [""]:
            backbone.get_submodule(part).requires_grad_(False)
        return backbone

    monkeypatch.setattr(Setup, "build_backbone", frozen)


def test_gradnorm_on_a_frozen_last_shared_layer_measures_the_last_one_that_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It failed in the second epoch, the first in which it measures anything."""
    freeze(monkeypatch, "neck")
    trained = run(spec_of("branches+gradnorm@lenet:width=.4"))
    assert len(trained.curve) == 3
    assert all(math.isfinite(loss) for loss in trained.curve[-1].train_losses.values())
    assert trained.curve[-1].weights != trained.curve[0].weights


def test_the_last_shared_layer_is_the_last_that_is_trained() -> None:
    network = network_of("branches")
    layers = [name for name, p in network.backbone.named_parameters() if p.dim() > 1]  # type: ignore[union-attr]
    assert len(layers) == 3
    for name in reversed(layers):
        assert network.last_shared_layer() is network.get_parameter(f"backbone.{name}")
        network.get_parameter(f"backbone.{name}").requires_grad_(False)
    with pytest.raises(PluginError, match="network 'Branches' has no trained weight"):
        network.last_shared_layer()


def test_with_the_whole_backbone_frozen_it_is_that_of_the_head_that_tasks_share() -> None:
    network = network_of("chmod")
    network.backbone.requires_grad_(False)
    assert network.last_shared_layer() is network.get_parameter("branch.2.weight")


def network_of(method: str) -> Network:
    chosen, made = parse_method(method), assemble(spec_of("branches"), root=Path(), device=CPU)
    return chosen.network_class(chosen.network_options, made.setup)


BALANCERS = ["gradnorm", "mgda", "mgda-ub", "pcgrad", "imtl", "db-mtl"]


@pytest.mark.parametrize("balancer", BALANCERS)
def test_where_nothing_is_trained_that_tasks_share_balancing_is_refused_at_planning(
    balancer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(monkeypatch)
    with pytest.raises(UsageError) as error:
        spec_of(f"branches+{balancer}@lenet:width=.3")
    assert "trains no parameter that tasks share, so that" in str(error.value)
    assert str(error.value).endswith("has nothing to balance. Use a balancer of losses alone, such as uniform.")
    assert spec_of("branches+uncertainty@lenet:width=.3").balancer.name == "uncertainty"


class Later(Branches):
    """Branches on a backbone that is trained first, with a layer behind it that is trained with them."""

    phases = {"first": frozenset({"backbone", "branches"}), "then": frozenset({"mixer", "branches"})}  # noqa: RUF012

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        with setup.initialized("mixer"):
            self.mixer = nn.Linear(self.backbone.features, self.backbone.features)

    def encode(self, inputs: Any) -> Tensor:
        return cast(Tensor, self.mixer(self.backbone(inputs)))


class Seen(PCGrad):
    """PCGrad that notes the size of the gradients that it is given."""

    sizes: list[int]

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:
        self.sizes.append(gradients.shape[1])
        return super().combine(gradients, losses, indices)


def phased(monkeypatch: pytest.MonkeyPatch, balancer: str, **settings: Any) -> Any:
    load = registry.load
    monkeypatch.setattr(
        registry,
        "load",
        lambda kind, name: {("method", "branches"): Later}.get((kind, name)) or load(kind, name),
    )
    return spec_of(f"branches+{balancer}@lenet:width=.7", epochs="2", **settings)


@pytest.mark.parametrize("balancer", ["gradnorm", "mgda", "mgda-ub", "uniform", "config"])
def test_a_phase_balances_what_it_trains_and_moves_nothing_else(balancer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = phased(monkeypatch, balancer, clip="1")
    keeper = Memory(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    state = keeper.restore()
    assert state is not None
    middle, end = state["network"], run(spec, keeper).model
    undisturbed = run(spec).model
    for name, value in end.items():
        assert torch.equal(value, undisturbed[name])
        assert torch.equal(value, middle[name]) == name.startswith("backbone"), name


def test_gradients_of_frozen_parameters_are_not_among_those_that_are_balanced(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = phased(monkeypatch, "pcgrad")
    made = assemble(spec, root=Path(), device=CPU)
    balancer = Seen(NoOptions(), made.tasks)
    balancer.sizes = []
    fit(dataclasses.replace(made, balancer=balancer), spec.protocol, keeper=Memory(), points=())
    sizes = {part: sum(p.numel() for p in getattr(made.network, part).parameters()) for part in ("backbone", "mixer")}
    assert balancer.sizes == 12 * [sizes["backbone"]] + 12 * [sizes["mixer"]]
    assert all(parameter.requires_grad for parameter in made.network.parameters())
