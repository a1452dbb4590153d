"""A suite, declared in a results folder, and compared with what became of it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import DamagedRecord, NewerResults
from mtbench.plan.grid import Request, plan
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.store.record.sealed import seal
from mtbench.store.suites.declaration import Declaration, beyond, changes, declaration_path, declare, read_declaration

GRID = Grid(datasets=("mmnist2",), methods=("single", "td"), vary={"lr": (1e-3, 3e-3)})
CLAIM = Claim(dataset="mmnist2", contrast=("td", "single"), margin=0.5, source="Table 1")
SUITE = Suite(name="mine", title="Mine", settings={"seeds": 5}, grid=(GRID,), claim=(CLAIM,))


def test_a_suite_is_declared_once_and_stays_as_it_was_declared(tmp_path: Path) -> None:
    assert read_declaration(tmp_path, "mine") is None
    first = declare(tmp_path, SUITE)
    assert (first.suite, first.runs) == ("mine", 0)
    assert declare(tmp_path, replace(SUITE, claim=())) == first
    assert read_declaration(tmp_path, "mine") == first
    assert changes(first, SUITE) == []


def test_what_is_declared_is_what_is_run_and_claimed_without_what_has_its_default(tmp_path: Path) -> None:
    assert declare(tmp_path, SUITE).content == {
        "protocol": {"base": "paper", "seeds": 5},
        "grid": [{"datasets": ["mmnist2"], "methods": ["single", "td"], "vary": {"lr": [0.001, 0.003]}}],
        "search": [],
        "claim": [{"dataset": "mmnist2", "contrast": ["td", "single"], "margin": 0.5}],
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (replace(SUITE, title="Other", note="Other", labels={"td": "TD"}), []),
        (replace(SUITE, claim=(replace(CLAIM, source="Table 2"),)), []),
        (replace(SUITE, claim=(replace(CLAIM, margin=0.1),)), ["claims (1 added, 1 removed)"]),
        (replace(SUITE, claim=(CLAIM, replace(CLAIM, metric="LU"))), ["claims (1 added)"]),
        (replace(SUITE, claim=()), ["claims (1 removed)"]),
        (replace(SUITE, settings={"seeds": 3}), ["protocol"]),
        (replace(SUITE, base="quick", grid=(GRID, GRID)), ["protocol", "grid (in another order)"]),
        (replace(SUITE, grid=(replace(GRID, methods=("single",)),)), ["grid (1 added, 1 removed)"]),
    ],
)
def test_each_part_that_was_changed_is_named(tmp_path: Path, changed: Suite, said: list[str]) -> None:
    assert changes(declare(tmp_path, SUITE), changed) == said


def test_the_comparison_of_ranks_is_declared_where_it_is_not_the_default(tmp_path: Path) -> None:
    unpaired = replace(SUITE, ranks="unpaired")
    assert "ranks" not in declare(tmp_path / "usual", SUITE).content
    declared = declare(tmp_path / "unpaired", unpaired)
    assert declared.content["ranks"] == "unpaired"
    assert changes(declared, SUITE) == ["ranks"]
    assert changes(declare(tmp_path / "usual", SUITE), unpaired) == ["ranks"]


def test_judged_runs_are_declared_where_they_are_tuned(tmp_path: Path) -> None:
    tuned = replace(SUITE, judges="tuned")
    assert "judges" not in declare(tmp_path / "usual", SUITE).content
    declared = declare(tmp_path / "tuned", tuned)
    assert declared.content["judges"] == "tuned"
    assert changes(declared, SUITE) == ["judged runs"]
    assert changes(declare(tmp_path / "usual", SUITE), tuned) == ["judged runs"]


def test_the_hash_is_of_the_content_alone(tmp_path: Path) -> None:
    declared = declare(tmp_path, SUITE)
    assert replace(declared, at="2020-01-01T00:00:00+00:00", runs=3).hash == declared.hash
    assert declare(tmp_path / "other", replace(SUITE, claim=())).hash != declared.hash
    assert re.fullmatch("[0-9a-f]{64}", declared.hash)


def test_a_declaration_that_was_edited_is_refused(tmp_path: Path) -> None:
    declare(tmp_path, SUITE)
    path = declaration_path(tmp_path, "mine")
    path.write_text(path.read_text().replace("0.5", "0.1"))
    with pytest.raises(DamagedRecord, match=r"mine\.json is damaged: its checksum is .* Restore it from a copy\."):
        read_declaration(tmp_path, "mine")


@pytest.mark.parametrize("body", [{"format": 1}, {"format": 1, "suite": "mine", "at": "", "runs": 0, "content": 3}])
def test_what_is_no_declaration_is_refused(tmp_path: Path, body: dict[str, object]) -> None:
    path = declaration_path(tmp_path, "mine")
    path.parent.mkdir()
    path.write_text(seal("declaration", body))
    with pytest.raises(DamagedRecord, match="it is not a declaration"):
        read_declaration(tmp_path, "mine")


def test_a_declaration_of_a_newer_mtbench_is_named_as_one(tmp_path: Path) -> None:
    path = declaration_path(tmp_path, "mine")
    path.parent.mkdir()
    path.write_text(json.dumps({"declaration": {"format": 2}, "sha256": ""}))
    with pytest.raises(NewerResults, match="has format 2, and this mtbench reads a declaration up to format 1"):
        read_declaration(tmp_path, "mine")


def test_a_declaration_has_the_time_in_utc(tmp_path: Path) -> None:
    at = declare(tmp_path, SUITE).at
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", at)
    assert Declaration(suite="mine", at=at, runs=0, content={}).format == 1


def test_a_seed_is_beyond_the_declared_number_only_where_a_number_is_declared(tmp_path: Path) -> None:
    (spec,) = plan(Request(methods=["td"], datasets=["mmnist2"], settings={}, seeds=[5]))
    assert beyond(declare(tmp_path / "five", SUITE), spec)
    assert not beyond(declare(tmp_path / "five", SUITE), replace(spec, seed=4))
    assert not beyond(declare(tmp_path / "none", replace(SUITE, settings={})), spec)
    assert not beyond(declare(tmp_path / "claim", replace(SUITE, claim=(replace(CLAIM, n=6),))), spec)
    assert not beyond(declare(tmp_path / "quick", replace(SUITE, base="quick")), spec)
