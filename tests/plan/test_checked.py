"""Specs from files: unknown settings, and titles that do not describe the parts."""

import dataclasses

import pytest

from mtbench.errors import UsageError
from mtbench.plan.checked import check_spec, with_checked_titles
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec, Titles, folder_name


def planned(method: str, **settings: str) -> RunSpec:
    request = Request(methods=[method], datasets=["mmnist2"], protocol="quick", settings=settings, seeds=[0])
    return plan(request)[0]


def titled(spec: RunSpec, *, dataset: str = "", method: str = "", protocol: str = "") -> RunSpec:
    old = spec.titles
    titles = Titles(
        dataset=dataset or old.dataset, method=method or old.method, protocol=protocol or old.protocol, apart=old.apart
    )
    return dataclasses.replace(spec, titles=titles)


@pytest.mark.parametrize(
    "method",
    [
        *("uniform", "moo", "moo:normalize=l2", "itn", "td:channels=6", "branches+fixed:weights=.3/.7@lenet:width=2"),
        *("td+dwa", "td:preset=levi2021", "branches+famo:preset=paper", "td@resnet18"),
    ],
)
def test_titles_of_planned_runs_describe_them(method: str) -> None:
    spec = planned(method, lr="0.01", diagnostics="conflict/selectivity", schedule="step:every=2")
    assert with_checked_titles(spec) is spec


@pytest.mark.parametrize(
    "title",
    ["td", "moo", "branches+mgda-ub", "uniform:channels=6", "uniform@resnet18", "uniform+dwa", "..", "+"],
)
def test_a_title_of_another_method_is_replaced_by_the_parts(title: str) -> None:
    made = with_checked_titles(titled(planned("uniform"), method=title)).titles.method
    assert made == "branches+uniform@lenet"


def test_the_title_that_a_method_had_before_it_was_renamed_is_kept() -> None:
    spec = titled(planned("moo"), method="multi-objective")
    assert with_checked_titles(spec) is spec


@pytest.mark.parametrize("title", ["..", "mmnist3", "/etc", "mmnist2:offset=8"])
def test_the_title_of_a_dataset_is_its_choice(title: str) -> None:
    assert with_checked_titles(titled(planned("td"), dataset=title)).titles.dataset == "mmnist2"


@pytest.mark.parametrize("title", ["paper", "quick, lr=0.5", "quick, best=true", ".."])
def test_the_title_of_a_training_protocol_has_true_settings_alone(title: str) -> None:
    made = with_checked_titles(titled(planned("td", lr="0.01"), protocol=title)).titles.protocol
    assert made.startswith("quick, ")
    assert "lr=0.01" in made.split(", ")


def test_a_preset_that_changes_no_setting_is_left_out() -> None:
    spec = planned("td")
    titles = dataclasses.replace(spec.titles, apart={"speed": "1"})
    assert with_checked_titles(dataclasses.replace(spec, titles=titles)).titles == spec.titles


@pytest.mark.parametrize(
    "changed",
    [{"schedule": "sometimes"}, {"clip": "often:1"}, {"optimizer": "best"}, {"diagnostics": ("all",)}],
)
def test_a_word_that_is_no_setting_is_refused(changed: dict[str, object]) -> None:
    spec = planned("td")
    protocol = dataclasses.replace(spec.protocol, **changed)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"'{next(iter(changed))}' is"):
        check_spec(dataclasses.replace(spec, protocol=protocol))


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64 - 1])
def test_a_seed_that_tables_cannot_hold_is_refused(seed: int) -> None:
    with pytest.raises(UsageError, match="its seed is"):
        check_spec(dataclasses.replace(planned("td"), seed=seed))
    check_spec(dataclasses.replace(planned("td"), seed=2**63 - 1))


@pytest.mark.parametrize("title", ["..", ".", "", "a/../b", "/etc", "a\\b", "a\nb", "\x00"])
def test_the_folder_of_any_title_is_one_name(title: str) -> None:
    name = folder_name(title)
    assert name.strip(".")
    assert not set(name) & set("/\\\n\x00")
    assert folder_name("mmnist4:offset=8") == "mmnist4,offset=8"


def test_the_identity_of_a_run_does_not_depend_on_titles() -> None:
    spec = planned("uniform")
    titles = Titles(dataset="..", method="td", protocol="paper")
    assert dataclasses.replace(spec, titles=titles).id == spec.id
