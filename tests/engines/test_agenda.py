"""Runs that are done, that are to be done, and that are left alone."""

import dataclasses
from pathlib import Path

import pytest

from mtbench.engines.agenda import make_agenda, supersede
from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.status import RunStatus, status_of


def specs(*methods: str, seeds: int = 1) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=["toy-all"], settings={"epochs": "1"}, seeds=range(seeds)))


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, RunStatus]:
    """A run in each state."""
    spec = specs("single")[0]
    folders = {name: RunFolder(tmp_path / name) for name in ("missing", "fresh", "damaged", "failed", "killed")}
    for folder in folders.values():
        folder.write_spec(spec)
    for name in ("fresh", "damaged"):
        execute(folders[name], folders[name].spec(), tmp_path, "cpu")
    (folders["damaged"].path / "record.json").write_text("{")
    folders["failed"].write_failure(kind="nan", message="no")
    folders["killed"].write_failure(kind="killed", message="no")
    (folders["killed"].path / "checkpoint.pt").write_bytes(b"")
    found = {name: status_of(folder.path, spec, tmp_path) for name, folder in folders.items()}
    stale = dataclasses.replace(found["fresh"], folder=tmp_path / "stale", state="stale", why="the data changed")
    running = dataclasses.replace(found["missing"], folder=tmp_path / "running", state="running")
    return {**found, "stale": stale, "running": running}


def names(runs: tuple[RunStatus, ...]) -> set[str]:
    return {run.folder.name for run in runs}


def test_only_what_is_missing_running_or_was_killed_is_done_unasked(runs: dict[str, RunStatus]) -> None:
    agenda = make_agenda(list(runs.values()), set())
    assert names(agenda.todo) == {"missing", "running", "killed"}
    assert names(agenda.again) == set()
    assert names(agenda.done) == {"fresh", "stale"}
    assert names(agenda.left) == {"failed", "damaged"}
    assert agenda.resumed == 1


@pytest.mark.parametrize(
    ("refresh", "again"),
    [
        ({"stale"}, {"stale"}),
        ({"failed"}, {"failed", "killed"}),
        ({"damaged", "stale"}, {"damaged", "stale"}),
        ({"all"}, {"stale", "failed", "killed", "damaged", "fresh"}),
    ],
)
def test_what_is_asked_for_is_done_again(runs: dict[str, RunStatus], refresh: set[str], again: set[str]) -> None:
    agenda = make_agenda(list(runs.values()), refresh)
    assert names(agenda.again) == again
    assert names(agenda.todo) == again | {"missing", "running", "killed"}


@pytest.mark.parametrize("name", ["fresh", "damaged", "failed"])
def test_what_is_done_again_is_moved_away_once(runs: dict[str, RunStatus], tmp_path: Path, name: str) -> None:
    supersede(runs[name], tmp_path)
    assert status_of(runs[name].folder, runs[name].spec, tmp_path).state == "missing"
    assert (runs[name].folder / "superseded-1").is_dir()
    supersede(runs[name], tmp_path)
    assert not (runs[name].folder / "superseded-2").exists()


def test_a_record_that_is_not_the_one_that_was_looked_at_stays(runs: dict[str, RunStatus], tmp_path: Path) -> None:
    record = runs["fresh"].record
    assert record is not None
    seen = dataclasses.replace(runs["fresh"], record=dataclasses.replace(record, finished="long ago"))
    supersede(seen, tmp_path)
    assert status_of(seen.folder, seen.spec, tmp_path).state == "fresh"


def test_what_another_process_works_on_stays(runs: dict[str, RunStatus], tmp_path: Path) -> None:
    with Lease(runs["fresh"].folder):
        supersede(runs["fresh"], tmp_path)
    assert status_of(runs["fresh"].folder, runs["fresh"].spec, tmp_path).state == "fresh"
