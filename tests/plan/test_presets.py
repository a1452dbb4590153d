"""Presets: what a method's authors train with, for its row alone and with its mark."""

import dataclasses

import pytest
import torch

from mtbench import registry
from mtbench.contract import Balancer
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Grid, Suite
from mtbench.plan.suite.planned import places, plan_suite, signature
from tests.train.runs import run

PRESET = ":preset=paper"
CLIPPED = {"famo", "fairgrad", "nash-mtl"}
"""Whose released codes clip the shared gradient: CONVENTIONS 2, finding 7."""


def specs(*methods: str, **settings: str) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=["toy-all"], settings=settings, seeds=[0]))


def test_presets_are_of_the_methods_whose_authors_settings_are_known() -> None:
    found = {}
    for name in registry.entries("balancer"):
        balancer = registry.load("balancer", name)
        assert issubclass(balancer, Balancer)
        if balancer.protocol_presets:
            found[name] = dict(balancer.protocol_presets)
    assert found == {name: {"paper": {"clip": "shared:1"}} for name in CLIPPED}


@pytest.mark.parametrize("name", sorted(CLIPPED))
def test_a_preset_changes_the_protocol_of_its_own_method_alone(name: str) -> None:
    uniform, plain, own = specs("uniform", f"branches+{name}", f"branches+{name}{PRESET}", lr=".002")
    assert uniform.protocol == plain.protocol
    assert own.protocol == dataclasses.replace(plain.protocol, clip="shared:1")
    assert own.common_protocol == plain.protocol
    assert (own.network, own.backbone) == (plain.network, plain.backbone)
    assert dict(own.balancer.options) == ({"raw": "true"} if name == "nash-mtl" else {})


def test_a_row_says_by_its_name_that_it_is_not_trained_as_the_others_are() -> None:
    (own,) = specs(f"branches+famo{PRESET}", lr=".002")
    assert own.titles.method == "branches+famo:preset=paper"
    assert own.titles.protocol == "paper, lr=0.002"  # that of the table
    assert own.titles.apart == {"clip": "0"}
    assert own.folder.startswith("toy-all/branches+famo,preset=paper/seed-0-")


def test_options_that_are_given_beside_a_preset_stay_in_the_name() -> None:
    method = parse_method(f"td+fairgrad{PRESET}:alpha=1")
    assert method.title == "td+fairgrad:alpha=1:preset=paper"
    assert str(method.balancer_choice) == "fairgrad:alpha=1"
    assert parse_method(method.title) == method


def test_only_runs_with_a_preset_have_another_identity() -> None:
    """The identity is that of the settings: the same clip given for all methods is the same training."""
    plain, own = specs("branches+famo", f"branches+famo{PRESET}")
    (given,) = specs("branches+famo", clip="shared:1")
    assert plain.id != own.id == given.id
    assert "apart" not in plain.to_json()
    for spec in (plain, own):
        assert RunSpec.from_json(spec.to_json()) == spec


def test_where_all_methods_have_the_setting_nothing_is_apart() -> None:
    (own,) = specs(f"branches+famo{PRESET}", clip="shared:1")
    assert own.titles.apart == {}


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("branches+famo:preset=code", "balancer 'famo' has no preset 'code'. Its presets: paper."),
        ("branches+uniform:preset=paper", "balancer 'uniform' has no preset 'paper'. It has no presets."),
        ("moo:preset=paper", "balancer 'mgda-ub' has no preset 'paper'. It has no presets."),
        ("uniform:preset=paper", "balancer 'uniform' has no preset 'paper'. It has no presets."),
        ("td:preset=paper", "method 'td' has no preset 'paper'. Its presets: levi2019, levi2021."),
    ],
)
def test_an_unknown_preset_is_refused_with_those_that_there_are(method: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_method(method)
    assert text.partition("'")[2].partition("preset")[2] in str(error.value)
    assert "preset" in str(error.value)


def test_a_network_and_a_balancer_may_each_have_a_preset() -> None:
    method = parse_method(f"td:preset=levi2021+famo{PRESET}")
    assert str(method.network_choice) == "td:bu2=mul:upsample=nearest"
    assert dict(method.settings) == {"clip": "shared:1"}


def test_a_run_with_a_preset_is_trained_as_its_settings_say() -> None:
    settings = {"images": "32", "epochs": "1", "optimizer": "sgd", "lr": ".5"}
    own, plain, given = (
        run(plan(Request(methods=[method], datasets=["toy-all"], settings={**settings, **more}, seeds=[0]))[0])
        for method, more in (
            (f"branches+fairgrad{PRESET}", {}),
            ("branches+fairgrad", {}),
            ("branches+fairgrad", {"clip": "shared:1"}),
        )
    )
    assert all(torch.equal(own.model[name], value) for name, value in given.model.items())
    assert not all(torch.equal(own.model[name], value) for name, value in plain.model.items())


def test_the_preset_of_nash_mtl_takes_every_step_along_a_gradient_of_length_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solution of the raw equation is sqrt(P) long whatever the gradients are, and is clipped to 1."""
    lengths: dict[str, list[float]] = {"before": [], "after": []}

    def noted(group: list[torch.nn.Parameter], norm: float) -> None:
        gradients = [value.grad for value in group if value.grad is not None]
        lengths["before"].append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))
        clip(group, norm)
        lengths["after"].append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))

    clip = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", noted)
    (spec,) = plan(Request(methods=[f"branches+nash-mtl{PRESET}"], datasets=["toy-all:scale=1e-3/1e-3"],
                           settings={"images": "48", "epochs": "1", "batch": "16"}, seeds=[0]))  # fmt: skip
    run(spec)
    assert lengths["before"] == pytest.approx([2**0.5] * 3, rel=1e-4)
    assert lengths["after"] == pytest.approx([1.0] * 3, rel=1e-4)


def test_a_preset_whose_scale_nothing_makes_up_for_is_refused_with_gradient_scale_sum() -> None:
    with pytest.raises(UsageError, match="has no gradient scale 'sum'"):
        specs(f"branches+nash-mtl{PRESET}", **{"gradient-scale": "sum"})


def test_a_suite_finds_the_runs_of_a_row_with_a_preset() -> None:
    methods = ("single", "branches+famo", f"branches+famo{PRESET}")
    suite = Suite(name="mine", title="T", base="quick", grid=(Grid(datasets=("mmnist2",), methods=methods),))
    known = places(suite)
    found = {known[signature(spec)].method for spec in plan_suite(suite)}
    assert found == set(methods)
