"""Identities of runs: settings that came later leave them as they were."""

import dataclasses
import json

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.plan.spec import LATER, RunSpec

BEFORE = [
    ("td", "mmnist3", "paper", {}, "3195a2ff9bab"),
    ("moo", "mmnist2", "quick", {}, "bf5843e580f6"),
    ("branches+uncertainty", "toy2", "paper", {}, "46717671b073"),
    ("uniform", "mmnist2", "paper", {"schedule": "exponential", "lr": "1e-2"}, "31ddf58927ce"),
    ("uniform", "mmnist2", "paper", {"optimizer": "sgd", "schedule": "constant"}, "527f041e43d9"),
    ("td", "mmnist2", "paper", {"adds": "own"}, "1acd5b9abc5d"),
]
"""Runs and their ids at commit 7074ccb."""


def spec(method: str = "td", dataset: str = "mmnist3", protocol: str = "paper", **settings: str) -> RunSpec:
    return plan(Request(methods=[method], datasets=[dataset], protocol=protocol, settings=settings, seeds=[0]))[0]


@pytest.mark.parametrize(("method", "dataset", "protocol", "settings", "known"), BEFORE)
def test_runs_keep_the_ids_that_they_had(
    method: str, dataset: str, protocol: str, settings: dict[str, str], known: str
) -> None:
    made = spec(method, dataset, protocol, **settings)
    assert made.id == known
    old = json.loads(made.to_json())
    for name in LATER:
        if name not in settings:
            del old["protocol"][name]
    read = RunSpec.from_json(json.dumps(old))
    assert read == made
    assert read.id == known


def test_a_setting_that_came_later_has_its_class_default_there() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(TrainingProtocol)}
    assert {name: defaults[name] for name in LATER} == LATER


def test_a_setting_that_came_later_is_another_run_once_it_is_given() -> None:
    given = [
        {"optimizer": "muon"},
        {"optimizer": "muon", "flatten-kernels": "true"},
        {"optimizer": "muon", "momentum": ".9"},
        {"optimizer": "sgd", "momentum": ".8"},
        {"weight-decay": ".1"},
        {"beta1": ".8"},
        {"optimizer": "adagrad"},
        {"optimizer": "adagrad", "initial-accumulator": ".1"},
        {"warmup": "1"},
        {"validation": "true", "select": "best-val"},
        {"curve": "all"},
        {"curve": "last10"},
        {"schedule": "exponential"},
        {"schedule": "exponential:factor=.9"},
    ]
    assert len({spec().id, *(spec(**settings).id for settings in given)}) == 1 + len(given)


def test_the_same_setting_in_other_words_is_the_same_run() -> None:
    assert spec(schedule="exponential:factor=.950").id == spec(schedule="exponential").id
    assert spec(schedule="step:factor=.1:every=40").id == spec(schedule="step:every=40").id
    assert spec(optimizer="muon", momentum="0.95").id == spec(optimizer="muon").id
    assert spec(momentum=".9", curve="20", select="last", warmup="0").id == spec().id


@pytest.mark.parametrize(
    "text",
    ["td", "td:channels=6@toy-shifted", "branches+fixed:weights=.3/.7", "moo:normalize=l2", "td:preset=levi2021"],
)
def test_a_spec_is_resolved_once_to_what_its_texts_are_parsed_as(text: str) -> None:
    asked = spec(text, "toy-all:scale=2/1")
    again = RunSpec.from_json(asked.to_json())
    found = again.resolve()
    assert again.resolve() is found
    parsed = parse_method(f"{asked.network}+{asked.balancer}@{asked.backbone}")
    assert dataclasses.replace(found.method, title=parsed.title) == parsed
    assert found.backbone == parsed.backbone
    assert found.dataset == parse_dataset(str(asked.dataset))
    assert again == asked  # resolved or not
    assert again.id == asked.id
