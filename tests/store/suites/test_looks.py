"""Plans of looks in a results folder: sealed, read, and named in errors."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import DamagedRecord, NewerResults, StoreError
from mtbench.store.pack.contents import collect, unite
from mtbench.store.record.sealed import seal
from mtbench.store.suites.looks import (
    LookPlan,
    look_plan_path,
    read_look_plan,
    read_look_plans,
    with_added,
    write_look_plan,
)
from mtbench.store.upkeep.inventory import take_inventory
from tests.report.records import finished

PLAN = LookPlan(
    suite="mine",
    size="quick",
    at="",
    looks=(3, 5),
    alpha=0.05,
    spending="obrien-fleming",
    correction="holm",
    claims=({"dataset": "mmnist2", "contrast": ["td", "single"]},),
    seen=0,
    later=("a1", "b2"),
)


def test_a_plan_is_read_as_it_was_written_with_its_time_in_utc(tmp_path: Path) -> None:
    assert read_look_plan(tmp_path, "mine-quick") is None
    written = write_look_plan(tmp_path, "mine-quick", PLAN)
    assert replace(written, at="") == PLAN
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", written.at)
    assert read_look_plan(tmp_path, "mine-quick") == written
    assert written.listed == "3, 5"


def test_a_plan_that_was_edited_is_refused_and_costs_a_reader_of_all_plans_itself_alone(tmp_path: Path) -> None:
    write_look_plan(tmp_path, "mine-quick", PLAN)
    write_look_plan(tmp_path, "other-quick", replace(PLAN, suite="other"))
    path = look_plan_path(tmp_path, "mine-quick")
    path.write_text(path.read_text().replace('"seen": 0', '"seen": 7'))
    with pytest.raises(DamagedRecord, match=r"the plan of looks .*mine-quick\.json is damaged: its checksum is"):
        read_look_plan(tmp_path, "mine-quick")
    unread: list[str] = []
    assert [plan.suite for plan in read_look_plans([tmp_path], unread)] == ["other"]
    assert len(unread) == 1


@pytest.mark.parametrize("body", [{"format": 1}, {"format": 1, "suite": "mine", "looks": "often"}])
def test_what_is_no_plan_is_refused(tmp_path: Path, body: dict[str, object]) -> None:
    path = look_plan_path(tmp_path, "mine-quick")
    path.parent.mkdir(parents=True)
    path.write_text(seal("plan of looks", body))
    with pytest.raises(DamagedRecord, match="it is not a plan of looks"):
        read_look_plan(tmp_path, "mine-quick")


def test_a_plan_of_a_newer_mtbench_is_named_as_one(tmp_path: Path) -> None:
    path = look_plan_path(tmp_path, "mine-quick")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"plan of looks": {"format": 2}, "sha256": ""}))
    with pytest.raises(NewerResults, match="has format 2, and this mtbench reads a plan of looks up to format 1"):
        read_look_plan(tmp_path, "mine-quick")


def test_of_one_plan_in_two_folders_the_earlier_counts_and_unlike_looks_are_said(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    first = write_look_plan(one, "mine-quick", PLAN)
    write_look_plan(other, "mine-quick", PLAN)
    unread: list[str] = []
    assert read_look_plans([other, one], unread) == [first]
    assert not unread
    look_plan_path(other, "mine-quick").unlink()
    write_look_plan(other, "mine-quick", replace(PLAN, looks=(3, 9)))
    read_look_plans([one, other], unread)
    assert unread == [
        "Looks at suite mine, size quick, are planned differently in two folders; the earlier plan counts."
    ]


def test_a_plan_belongs_to_its_folder_and_to_packs_and_unlike_plans_are_not_united(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_look_plan(one, "mine-quick", PLAN)
    name = "suites/looks/mine-quick.json"
    assert name in take_inventory(one).shared
    assert not take_inventory(one).foreign
    assert name in collect(one, weights=False).members
    write_look_plan(other, "mine-quick", PLAN)
    assert name in unite([collect(one, weights=False), collect(other, weights=False)]).members
    look_plan_path(other, "mine-quick").unlink()
    write_look_plan(other, "mine-quick", replace(PLAN, looks=(4, 5)))
    with pytest.raises(StoreError, match=r"looks at suite 'mine' are planned differently: .* has 3, 5, and .* 4, 5"):
        unite([collect(one, weights=False), collect(other, weights=False)])


def test_runs_of_later_seeds_are_added_after_a_look() -> None:
    runs = [finished("td", seed, {"LU": 90.0}, dataset="mmnist2") for seed in range(2)]
    plan = replace(PLAN, later=(runs[1].spec.id,))
    assert [run.added for run in with_added(runs, [plan])] == [False, True]
    assert with_added(runs, []) == runs
