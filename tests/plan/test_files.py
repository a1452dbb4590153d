"""Runs whose options are files: the content is what was asked, and where it lies is not."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import pytest

from mtbench.errors import DataError, UsageError
from mtbench.plan.chosen import load_backbone
from mtbench.plan.grid import Request, plan, plan_one
from mtbench.plan.parse import compose, parse_backbone, parse_dataset, parse_method
from mtbench.plan.spec import RunSpec
from mtbench.search.planning import plan_search
from mtbench.search.request import SearchRequest


def asked(path: Path | str, *, backbone: str = "", dataset: str = "toy-all") -> RunSpec:
    method = "td" if backbone else f"td@toy-shifted:shift={path}"
    (spec,) = plan(Request(methods=[method], datasets=[dataset], settings={}, seeds=[0], backbone=backbone))
    return spec


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_the_same_file_under_two_paths_is_one_run_in_one_folder(tmp_path: Path) -> None:
    first = asked(write(tmp_path / "a" / "shift.txt", "0.5"))
    second = asked(write(tmp_path / "b" / "renamed", "0.5"))
    assert (first.id, first.folder, first.titles) == (second.id, second.folder, second.titles)
    assert first.files == {sha256("0.5"): str(tmp_path / "a" / "shift.txt")}
    assert second.files == {sha256("0.5"): str(tmp_path / "b" / "renamed")}


def test_a_changed_file_is_another_run_with_another_title(tmp_path: Path) -> None:
    path = write(tmp_path / "shift.txt", "0.5")
    first = asked(path)
    path.write_text("0.6")
    os.utime(path, ns=(0, 1))
    second = asked(path)
    assert first.id != second.id
    assert first.titles.method == f"td@toy-shifted:shift=sha256-{sha256('0.5')[:12]}"
    assert second.titles.method == f"td@toy-shifted:shift=sha256-{sha256('0.6')[:12]}"
    assert asked("none").id not in (first.id, second.id)


def test_no_file_leaves_the_identity_as_it_was() -> None:
    spec, plain = asked("none"), asked("", backbone="lenet")
    assert str(spec.backbone) == "toy-shifted"
    assert "files" not in json.loads(spec.to_json())
    assert dataclasses.replace(spec, backbone=plain.backbone).id == plain.id


def test_a_backbone_for_every_method_may_be_a_file_too(tmp_path: Path) -> None:
    path = write(tmp_path / "shift.txt", "0.5")
    assert asked("", backbone=f"toy-shifted:shift={path}").id == asked(path).id


@pytest.mark.parametrize("name", ["x@y/a+b=c.pth", "a b/c d", "ü+mtan", "x@lenet"])
def test_the_path_of_a_file_for_a_backbone_may_hold_what_separates_the_parts_of_a_method(
    name: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, "0.5")
    spec = asked(path)
    assert spec.files == {sha256("0.5"): str(path)}
    assert (spec.network.name, spec.balancer.name) == ("td", "uniform")


def test_a_colon_in_a_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a', and there is no such file\. A path cannot hold ':' or ','"):
        asked(write(tmp_path / "a:b=c", "0.5"))


def test_a_spec_is_read_back_with_the_places_of_its_files(tmp_path: Path) -> None:
    spec = asked(write(tmp_path / "shift.txt", "0.5"))
    again = RunSpec.from_json(spec.to_json())
    assert (again, again.id) == (spec, spec.id)
    assert again.resolve().backbone.options.shift.read() == b"0.5"
    backbone = again.resolve().method.backbone
    assert backbone is not None
    assert backbone.files == spec.files


def test_without_the_places_of_its_files_a_spec_is_known_but_cannot_be_built(tmp_path: Path) -> None:
    spec = dataclasses.replace(asked(write(tmp_path / "shift.txt", "0.5")), files={})
    chosen = spec.resolve().backbone
    assert chosen.choice == spec.backbone
    with pytest.raises(DataError, match=r"^option 'shift' of backbone 'toy-shifted' is the file with sha256 d2cbad7"):
        chosen.options.shift.read()


def test_a_run_that_is_asked_for_by_hash_needs_the_path_where_the_file_is_read(tmp_path: Path) -> None:
    spec = asked(write(tmp_path / "shift.txt", "0.5"))
    with pytest.raises(DataError, match="Give its path in place of the hash"):
        asked(f"sha256-{sha256('0.5')}")
    method = compose(spec.network, spec.balancer, load_backbone(spec.backbone, spec.files), spec.files)
    assert plan_one(parse_dataset("toy-all"), method, protocol="paper", settings={}, seeds=[0]) == [spec]


def test_a_title_is_no_way_to_ask_for_a_file(tmp_path: Path) -> None:
    title = parse_method(f"td@toy-shifted:shift={write(tmp_path / 'x', '0.5')}").title
    with pytest.raises(UsageError, match=r"Titles show the first 12 digits, and spec\.json has them all"):
        parse_method(title)


def test_a_dataset_takes_a_file_beside_the_options_of_every_dataset(tmp_path: Path) -> None:
    path = write(tmp_path / "right.txt", "not read before it is needed")
    spec = asked("", backbone="lenet", dataset=f"mmnist2:pairs-test={path}:scale=1/2")
    assert str(spec.dataset) == f"mmnist2:pairs_test=sha256-{sha256(path.read_text())}:scale=1/2"
    assert spec.titles.dataset == f"mmnist2:pairs_test=sha256-{sha256(path.read_text())[:12]}:scale=1/2"
    assert spec.resolve().dataset.options.pairs_test.path == path
    assert parse_dataset(str(spec.dataset)).options == spec.resolve().dataset.options


def test_a_file_that_is_not_there_names_the_option() -> None:
    with pytest.raises(UsageError, match=r"^option 'pairs' of dataset 'mmnist2' is '/no/such', and there is no such"):
        parse_dataset("mmnist2:pairs=/no/such")
    with pytest.raises(UsageError, match=r"^option 'weights' of backbone 'resnet18' is '/no/such', and there is no"):
        parse_backbone("resnet18:weights=/no/such")


def test_every_trial_of_a_search_finds_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "shift.txt", "0.5")
    request = SearchRequest(
        methods=[f"branches+dwa@toy-shifted:shift={path}"],
        datasets=["toy-all"],
        settings={},
        objective="mean",
        space={"temperature": "1..3"},
    )
    (study,) = plan_search(request)
    (spec,) = study.specs({"temperature": "2"}, [0], validation=True)
    assert spec.files == {sha256("0.5"): str(path)}
    assert str(tmp_path) not in repr(study.study)
