"""The golden values hold the arithmetic as it is; `tests.train.golden` says how they are written.

The one rule: `NUMERICS` is raised if and only if a golden value moves by more than 1e-6 relative on one machine;
elsewhere golden values hold to 1e-4.
"""

import dataclasses
import json
from typing import Any

import pytest

from mtbench import registry
from mtbench.contract import Network
from mtbench.store.identity.fingerprint import NUMERICS
from tests.train.golden import (
    CASES,
    FILE,
    Case,
    Golden,
    Machine,
    Refused,
    flat,
    moved,
    of_mtbench,
    read,
    render,
    shipped,
    this_machine,
    update,
    values,
)
from tests.train.runs import run

GOLDEN = read()
HOME = Machine(torch="2.9.0", capability="AVX2", processor="one", threads=1)
AWAY = dataclasses.replace(HOME, capability="AVX512")


def test_every_network_and_balancer_that_ships_has_golden_values() -> None:
    assert sorted(GOLDEN.cases) == sorted(CASES), "run the command in the docstring of tests/train/golden.py"


def test_every_network_and_balancer_that_ships_is_a_case_on_two_backbones() -> None:
    for backbone, of_embeddings in (("lenet", True), ("resnet18", False)):
        specs = [case.spec() for case in CASES.values() if case.backbone.partition(":")[0] == backbone]
        plugins = {name: registry.load("method", name) for name in of_mtbench("method")}
        networks = {
            name
            for name, plugin in plugins.items()
            if issubclass(plugin, Network) and (of_embeddings or not plugin.kinds)
        }
        assert {spec.network.name for spec in specs} == networks
        on_branches = {spec.balancer.name for spec in specs if spec.network.name == "branches"}
        assert on_branches == set(of_mtbench("balancer"))


def test_an_alias_is_listed_once_as_what_it_stands_for() -> None:
    found = shipped("toy-all")
    assert len(found) == len(set(found))
    assert {"branches", "branches+mgda-ub"} <= set(found)
    assert not {"uniform", "moo", "branches+uniform"} & set(found)


def test_golden_values_were_computed_under_these_numerics() -> None:
    assert GOLDEN.numerics == NUMERICS, "run the command in the docstring of tests/train/golden.py"


@pytest.mark.parametrize("name", CASES)
def test_a_training_gives_the_golden_values(name: str) -> None:
    found = values(run(CASES[name].spec()))
    assert flat(found).keys() == flat(GOLDEN.cases[name]).keys()
    assert GOLDEN.moved({name: found}, this_machine()) == {}


def test_golden_values_of_every_balancer_tell_it_from_uniform() -> None:
    """Else they would hold nothing of it: DualProj, say, is uniform as long as no gradients conflict."""
    told = {"uniform"}
    for case in CASES.values():
        network, _, balancer = case.method.partition("+")
        if network != "branches":
            continue
        plain = {str(dataclasses.replace(case, method=method)) for method in ("branches", "branches+uniform")}
        for name in plain & GOLDEN.cases.keys():
            if moved(GOLDEN.cases[name], GOLDEN.cases[str(case)], 5e-5):
                told.add(balancer.partition(":")[0])
    assert told == set(of_mtbench("balancer"))


def test_the_file_is_strict_json_that_is_read_back_as_it_was() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(FILE.read_text(), parse_constant=refuse)
    assert render(GOLDEN) == FILE.read_text()
    assert FILE.stat().st_size < 200_000


def golden(numerics: int = 1, machine: Machine = HOME, **cases: Any) -> Golden:
    return Golden(numerics=numerics, machine=machine, cases=cases)


def test_a_case_is_named_by_everything_that_makes_it() -> None:
    case = Case(dataset="toy-all", method="td+dwa", backbone="lenet", settings={"optimizer": "sgd", "clip": "1"})
    assert str(case) == "toy-all/td+dwa@lenet,optimizer=sgd,clip=1"


def test_numbers_are_named_by_where_they_are() -> None:
    node = {"a": {"train": {"upper": [1.0, None]}, "norm": 2.0}}
    assert flat(node) == {"a train upper 1": 1.0, "a train upper 2": None, "a norm": 2.0}


@pytest.mark.parametrize(
    ("old", "new", "far"),
    [
        (1.0, 1.0 + 9e-7, False),
        (1.0, 1.0 + 2e-6, True),
        (1.0 + 2e-6, 1.0, True),
        (-1e3, -1e3 - 5e-4, False),
        (1e-9, 2e-9, True),
        (0.0, 0.0, False),
        (0.0, 1e-12, True),
        (None, None, False),
        (None, 1.0, True),
        (1.0, None, True),
    ],
)
def test_a_value_moved_if_its_relative_difference_is_above_the_tolerance(
    old: float | None, new: float | None, far: bool
) -> None:
    assert list(moved({"a": [0.5, old]}, {"a": [0.5, new]}, 1e-6)) == (["a 2"] if far else [])


def test_on_another_machine_metrics_are_left_out_and_losses_are_not() -> None:
    case = {"train": {"a": [1.0]}, "test": {"a": {"loss": 1.0, "accuracy": 50.0}}, "weights": {"norm": 1.0}}
    kept = Golden(numerics=1, machine=HOME, cases={"x": case})
    other = {"train": {"a": [1.0]}, "test": {"a": {"loss": 1.0, "accuracy": 52.0}}, "weights": {"norm": 1.0}}
    assert list(kept.moved({"x": other}, HOME)) == ["x test a accuracy"]
    assert kept.moved({"x": other}, AWAY) == {}
    other["test"]["a"]["loss"] = 1.01  # type: ignore[index]
    assert list(kept.moved({"x": other}, AWAY)) == ["x test a loss"]


def test_the_tolerance_is_1e_6_on_the_machine_of_the_values_and_1e_4_on_any_other() -> None:
    assert golden().tolerance(HOME) == 1e-6
    others: list[dict[str, Any]] = [{"torch": "3"}, {"capability": "DEFAULT"}, {"processor": "two"}, {"threads": 2}]
    for other in others:
        assert golden().tolerance(dataclasses.replace(HOME, **other)) == 1e-4


def test_values_that_moved_are_refused_unless_numerics_was_raised() -> None:
    kept = golden(a=[1.0, 2.0])
    with pytest.raises(Refused, match=r"^a 2 and 0 other values moved by more than 1e-06 .* raise NUMERICS to 2\.$"):
        update(kept, golden(a=[1.0, 2.00001]))
    assert update(kept, golden(numerics=2, a=[1.0, 2.00001])) == golden(numerics=2, a=[1.0, 2.00001])


def test_numerics_that_was_raised_is_refused_if_nothing_moved() -> None:
    for made in (golden(numerics=2, a=[1.0]), golden(numerics=2, a=[1.0 + 1e-8], b=[3.0]), golden(numerics=2)):
        with pytest.raises(Refused, match=r"^NUMERICS was raised, and no value moved .* Set it to 1\.$"):
            update(golden(a=[1.0]), made)


def test_numerics_that_was_lowered_is_refused() -> None:
    with pytest.raises(Refused, match="never lowered"):
        update(golden(numerics=3, a=[1.0]), golden(numerics=2, a=[2.0]))


def test_new_cases_are_added_and_the_others_keep_their_digits() -> None:
    kept, made = golden(a=[1.0], gone=[5.0]), golden(a=[1.0 + 1e-8], b=[3.0])
    assert update(kept, made) == golden(a=[1.0], b=[3.0])


def test_a_new_value_in_a_case_is_added() -> None:
    kept, made = golden(a={"loss": 1.0}), golden(a={"loss": 1.0, "f1": 50.0})
    assert update(kept, made) == made


def test_on_another_machine_values_may_differ_by_1e_4_and_are_then_of_that_machine() -> None:
    kept = golden(a=[1.0])
    near, far = 1.0 + 5e-5, 1.0 + 5e-4
    assert update(kept, golden(machine=AWAY, a=[near])) == golden(machine=AWAY, a=[near])
    with pytest.raises(Refused, match="raise NUMERICS"):
        update(kept, golden(machine=AWAY, a=[far]))
    with pytest.raises(Refused, match="was raised"):
        update(kept, golden(numerics=2, machine=AWAY, a=[near]))
    assert update(kept, golden(numerics=2, machine=AWAY, a=[far])) == golden(numerics=2, machine=AWAY, a=[far])
