"""Rows of a suite that take their task weights from the runs of other rows: texts, faults and plans."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import UsageError
from mtbench.plan.parse import parse_method
from mtbench.plan.suite import Grid, Suite
from mtbench.plan.suite.file import read_suite
from mtbench.plan.suite.planned import (
    later_rows,
    places,
    plan_suite,
    planned_places,
    resolved_places,
    signature,
)
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.plan.suite.stages.second_stage import bare, second_stage

SUITE = Suite(
    name="mine",
    title="T",
    settings={"epochs": 4, "seeds": 2},
    grid=(
        Grid(
            datasets=("toy-all",),
            methods=("uniform", "branches+nash-mtl", "branches+fixed:from=nash-mtl", "branches+fixed:from=uniform"),
        ),
    ),
)
TAKEN = Resolution(
    suite="mine",
    size="paper",
    dataset="toy-all",
    variation=(),
    method="branches+fixed:from=nash-mtl",
    first="branches+nash-mtl",
    tasks=("upper", "lower"),
    weights=(0.25, 0.75),
    seeds=(0, 1),
    runs=("a", "b"),
)
FILE = """\
title = "Toys"

[[grid]]
datasets = ["toy-all"]
methods = [
    "uniform",
    "branches+nash-mtl",
    "branches+graddrop",
    "{method}",
]
"""

Faults = Callable[[str], list[tuple[int, str]]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    def of(text: str) -> list[tuple[int, str]]:
        path = tmp_path / "toys.toml"
        path.write_text(text)
        return [(fault.line, fault.text) for fault in read_suite(path)[1]]

    return of


def test_everything_behind_from_is_the_other_balancer_up_to_the_backbone() -> None:
    found = second_stage("td:channels=6+fixed:from=fairgrad:alpha=2@lenet:dropout=.5")
    assert found is not None
    assert found.first == "td:channels=6+fairgrad:alpha=2@lenet:dropout=.5"
    assert found.bare == "td:channels=6+fixed@lenet:dropout=.5"
    assert found.with_weights((0.25, 0.75)) == "td:channels=6+fixed:weights=0.25/0.75@lenet:dropout=.5"
    assert parse_method(found.with_weights((0.25, 0.75))).balancer_options.weights == (0.25, 0.75)


def test_other_methods_are_of_no_second_stage() -> None:
    for text in ("uniform", "all", "branches+fixed:weights=.3/.7", "branches+nash-mtl@lenet"):
        assert second_stage(text) is None
        assert bare(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("branches+dwa:from=nash-mtl", "balancer 'dwa' the task weights of another one, and it takes none.*: fixed"),
        ("branches+fixed:from=", "takes weights from '', which is not one balancer"),
        ("branches+fixed:from=fixed:from=dwa", "which is not one balancer"),
        ("branches+fixed:weights=.3/.7:from=dwa", "gives both 'weights' and 'from'"),
    ],
)
def test_a_text_that_names_no_weights_to_take_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        second_stage(text)


def test_outside_of_a_suite_such_a_method_is_refused_with_the_weights_to_give() -> None:
    with pytest.raises(UsageError, match=r"'from' stands in the \[\[grid\]\] of a suite only.*fixed:weights=\.3/\.7"):
        parse_method("branches+fixed:from=fairgrad:alpha=2")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("branches+fixed:from=dwa", "takes its weights from 'branches+dwa', which no [[grid]] runs on dataset"),
        ("branches+fixed:from=nash-mtl@mlp", "'branches+nash-mtl@mlp', which no [[grid]] runs"),
        ("mtan+fixed:from=nash-mtl", "'mtan+nash-mtl', which no [[grid]] runs"),
        ("branches+fixed:from=graddrop", "balancer 'graddrop' has none"),
        ("branches+fixed:from=nosh-mtl", "Did you mean 'nash-mtl'?"),
        ("branches+dwa:from=nash-mtl", "and it takes none"),
    ],
)
def test_a_row_without_its_first_stage_in_the_grid_is_a_fault_with_its_line(
    faults: Faults, method: str, said: str
) -> None:
    ((line, text),) = faults(FILE.format(method=method))
    assert line == 9
    assert said in text


def test_a_first_stage_counts_by_whatever_text_it_has_and_on_the_same_dataset_and_variation_only(
    faults: Faults,
) -> None:
    assert faults(FILE.format(method="branches+fixed:from=nash-mtl")) == []
    assert faults(FILE.format(method="branches+fixed:from=uniform")) == []  # which is the row 'uniform'
    varied = '[[grid]]\ndatasets = ["toy-all"]\nmethods = ["{}"]\nvary = {{ lr = [1e-3, 1e-2] }}\n'
    later = varied.format("branches+fixed:from=nash-mtl")
    ((line, text),) = faults(FILE.format(method="single") + later)
    assert line == 13
    assert "no [[grid]] runs on dataset 'toy-all', lr=0.001" in text
    assert faults(FILE.format(method="single") + later + varied.format("branches+nash-mtl")) == []
    ((_, text),) = faults(FILE.format(method="single") + later.replace("toy-all", "toy-three").partition("vary")[0])
    assert "no [[grid]] runs on dataset 'toy-three'" in text


def test_searches_and_counted_networks_take_no_weights_from_runs(faults: Faults) -> None:
    search = '[[search]]\ndatasets = ["toy-all"]\nmethods = ["branches+fixed:from=nash-mtl"]\ntrials = 2\n'
    ((line, text),) = faults(FILE.format(method="single") + search)
    assert line == 13
    assert "'from' stands in the [[grid]] of a suite only" in text


def test_a_row_has_runs_once_its_weights_are_there() -> None:
    assert {spec.titles.method for spec in plan_suite(SUITE)} == {"uniform", "branches+nash-mtl"}
    specs = plan_suite(SUITE, resolutions=[TAKEN])
    weighted = [spec for spec in specs if spec.balancer.name == "fixed"]
    assert len(specs) == 6
    assert [(spec.seed, spec.balancer.options["weights"]) for spec in weighted] == [(0, "0.25/0.75"), (1, "0.25/0.75")]
    assert [spec.seed for spec in plan_suite(SUITE, resolutions=[TAKEN], seeds=[7])] == [7, 7, 7]


@pytest.mark.parametrize("other", [{"size": "quick"}, {"suite": "other"}, {"variation": (("lr", "0.1"),)}])
def test_weights_of_another_size_suite_or_variation_are_of_no_use(other: dict[str, object]) -> None:
    assert plan_suite(SUITE, resolutions=[replace(TAKEN, **other)]) == plan_suite(SUITE)  # type: ignore[arg-type]


def test_the_rows_that_wait_are_known_with_the_runs_that_they_wait_for() -> None:
    waiting, other = later_rows(SUITE, base="quick", settings={"epochs": "3", "seeds": "4"})
    assert (waiting.place.method, waiting.size) == ("branches+fixed:from=nash-mtl", "quick, epochs=3")
    firsts = waiting.firsts()
    assert {spec.titles.method for spec in firsts} == {"branches+nash-mtl"}
    assert [spec.seed for spec in firsts] == [0, 1, 2, 3]
    assert other.first.titles.method == "uniform"
    assert other.resolution is None


def test_what_a_row_costs_is_known_before_its_weights_are() -> None:
    planned = planned_places(SUITE)
    assert [place.method for place in planned] == list(SUITE.grid[0].methods)
    assert {spec.balancer.options.get("weights") for spec in planned.values()} == {None, "0.5/0.5"}


def test_rows_with_equal_weights_are_the_same_runs_and_each_has_its_place() -> None:
    other = replace(TAKEN, method="branches+fixed:from=uniform", first="uniform", runs=("c", "d"))
    (weighted,) = [spec for spec in plan_suite(SUITE, seeds=[0], resolutions=[TAKEN]) if spec.balancer.name == "fixed"]
    assert signature(weighted) not in places(SUITE)
    assert resolved_places(SUITE, [TAKEN, other]) == {signature(weighted): [TAKEN, other]}
    assert len(plan_suite(SUITE, resolutions=[TAKEN, other])) == 6
