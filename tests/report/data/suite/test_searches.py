"""Searches that belong to a suite: those of its methods over its spaces."""

from dataclasses import replace

from mtbench.plan.suite import Grid, Search, Suite
from mtbench.report.data.studies import StudyRuns
from mtbench.report.data.suite.searches import suite_studies
from tests.report.searches import Tried, rated

TRIED = [Tried(asked="0.001", worth=(60, 60), tested=[(60, 60)]), Tried(asked="0.003", worth=(70, 70))]
DECLARED = Search(
    datasets=("mmnist2",),
    methods=("uniform", "td", "branches+cagrad"),
    space={"lr": "1e-4..1e-2:log", "options": "declared"},
    sampler="grid",
    trials=2,
    objective="mean",
)
WEIGHTED = replace(DECLARED, methods=("branches",), space={"lr": "1e-4..1e-2:log", "weights": "simplex"})
SUITE = Suite(
    name="mine",
    title="Mine",
    grid=(Grid(datasets=("mmnist2",), methods=DECLARED.methods),),
    search=(DECLARED, WEIGHTED),
    labels={"branches": "a weighted sum"},
)


def searched(method: str, **space: str) -> StudyRuns:
    """Return a search of the method over the learning rate and these spaces."""
    found, _ = rated(method, TRIED)
    return replace(found, study=replace(found.study, space={"lr": "0.0001..0.01:log", **space}))


def labels(*found: StudyRuns) -> list[str]:
    return [each.label for group in suite_studies(SUITE, found).values() for each in group]


def test_declared_options_may_be_searched_beside_the_settings_that_are_named() -> None:
    assert labels(searched("td"), searched("branches+cagrad", c="0.1..1")) == ["td", "branches+cagrad"]


def test_a_search_that_lacks_a_named_setting_is_of_no_part() -> None:
    found = searched("td")
    assert labels(replace(found, study=replace(found.study, space={"channels": "1/2"}))) == []


def test_a_search_of_weights_belongs_to_the_network_with_which_weights_are_named() -> None:
    assert labels(searched("branches+fixed", weights="simplex:19")) == ["a weighted sum"]


def test_a_search_on_another_backbone_is_of_the_method_that_names_it() -> None:
    wide = "uniform@lenet:width=2"
    both = replace(DECLARED, methods=("uniform", wide), space={"lr": "1e-4..1e-2:log"})
    suite = replace(SUITE, grid=(Grid(datasets=("mmnist2",), methods=both.methods),), search=(both,))
    plain = searched("uniform")
    widened = replace(plain, study=replace(plain.study, backbone="lenet:width=2"))
    found = [each for group in suite_studies(suite, [widened, plain]).values() for each in group]
    assert [(each.label, each.study.backbone) for each in found] == [("uniform", "lenet"), (wide, "lenet:width=2")]
