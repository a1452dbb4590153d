"""Suites of reference packs: every method that comes along is in one, and all methods of a dataset cost the same."""

import pytest

from mtbench import registry
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.plan.suite import Suite
from mtbench.plan.suite.built_in import built_in_suites
from mtbench.plan.suite.file import find_suite
from mtbench.report.data.cost.budget import Budget, budget_of
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.suite import suite_requests

REFERENCES = [name for name in built_in_suites() if name.startswith("reference-")]
TRIPLETS = "reference-faces-mini"
SAME = {"branches": "uniform", "branches+uniform": "uniform", "branches+mgda-ub": "moo", "itn": "single"}
"""Methods that are one under two names, and the name that suites have."""


def ours(kind: str) -> list[str]:
    return [name for name, entry in registry.entries(kind).items() if entry.distribution == "mtbench"]


def studies(suite: Suite) -> list[StudyPlan]:
    return [study for request in suite_requests(suite, settings={}) for study in plan_search(request)]


def named(name: str) -> set[str]:
    """Return the titles of the methods that a suite searches."""
    return {study.title for study in studies(find_suite(name))}


def test_there_is_a_suite_for_digits_for_the_plane_and_for_worlds() -> None:
    assert sorted(REFERENCES) == [
        f"reference-{name}" for name in ("birds-mini", "clevr-mini", "faces-mini", "mmnist2", "mmnist3", "toy2")
    ]


@pytest.mark.parametrize("name", ["reference-mmnist2", "reference-mmnist3"])
def test_every_network_and_balancer_that_comes_along_is_in_the_references_of_digits(name: str) -> None:
    networks = [each for each in ours("method") if not parse_method(each).network_class.kinds]
    expected = [*networks, *(f"branches+{balancer}" for balancer in ours("balancer"))]
    assert named(name) == {SAME.get(each, each) for each in expected}


def test_networks_for_triplets_are_in_the_references_of_faces() -> None:
    networks = {name for name in ours("method") if parse_method(name).network_class.kinds}
    assert networks <= {title.partition(":")[0] for title in named(TRIPLETS)}


def test_every_method_that_fits_the_plane_is_in_its_references() -> None:
    every = plan(Request(methods=["all"], datasets=["toy2"], protocol="quick", settings={}, seeds=[0]))
    fitting = {
        spec.titles.method
        for spec in every
        if spec.network.name in ours("method") and spec.balancer.name in ours("balancer")
    }
    assert named("reference-toy2") == {*fitting, "branches+fixed"}
    balancers = {SAME.get(f"branches+{balancer}", f"branches+{balancer}") for balancer in ours("balancer")}
    assert balancers <= named("reference-toy2")


@pytest.mark.parametrize("name", REFERENCES)
def test_all_methods_of_a_reference_are_tuned_on_the_mean_with_one_budget_and_stand_in_the_grid(name: str) -> None:
    suite = find_suite(name)
    assert suite.judges == "tuned"
    (grid,), (part, *weighted) = suite.grid, suite.search
    assert (part.datasets, part.methods) == (grid.datasets, grid.methods)
    assert [(each.datasets, each.methods) for each in weighted] in ([], [(part.datasets, ("branches",))])
    assert {each.objective for each in studies(suite)} == {"mean"}
    spent = {(budget(each), tuple(each.request.seeds), len(each.report_seeds)) for each in studies(suite)}
    assert len(spent) == 1


def budget(study: StudyPlan) -> tuple[int, Budget]:
    """Return the number of planned trials, and what each of them costs."""
    return study.trials, budget_of(study.study)


@pytest.mark.parametrize("name", ["reference-mmnist2", "reference-mmnist3"])
def test_learning_rate_weight_decay_and_declared_options_are_searched_for_digits(name: str) -> None:
    shared = {"lr": "0.0001..0.01:log", "weight_decay": "0/1e-05/0.0001/0.001"}
    spaces = {each.title: each.study.space for each in studies(find_suite(name))}
    assert spaces["td"] == shared
    assert spaces["branches+cagrad"] == {**shared, "c": "0.1..1"}
    assert spaces["branches+fixed"] == {**shared, "weights": "simplex:19"}
    assert all(shared.items() <= space.items() for space in spaces.values())


@pytest.mark.parametrize("name", REFERENCES)
def test_the_title_of_a_reference_states_its_size(name: str) -> None:
    suite = find_suite(name)
    part = suite.search[0]
    words = f"{part.trials} {'trials' if part.sampler == 'qmc' else 'learning rates'} each"
    assert suite.title.startswith("Reference: ")
    assert suite.title.endswith(words)
