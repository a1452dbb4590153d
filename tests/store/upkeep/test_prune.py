"""Files that nobody needs any more."""

import fcntl
import os
from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.store.identity.fingerprint import fingerprints
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import CurvePoint, Record
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.status import survey
from mtbench.store.upkeep.prune import CACHES, KINDS, STALE, SUPERSEDED, TEMPORARY, find_removable, remove
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of


@pytest.fixture
def results(tmp_path: Path, record: Record, curve: tuple[CurvePoint, ...]) -> Path:
    """Four fresh runs, one of them retrained; one stale run; a temporary file of an unknown process, and a new one."""
    place = tmp_path / "results"
    publish(place, record, seeds=(0, 1, 2, 2))
    (again,) = place.rglob("seed-2-*")
    with leased(RunFolder(again)) as held:
        held.supersede()
    publish(place, record, seeds=(2,))
    (old,) = plan(Request(methods=["uniform"], datasets=["toy-all"], settings={}, seeds=[0]))
    outdated = fingerprints(record.spec, "toy-1")
    publish(place, record_of(old, accuracies("upper"), curve[-1].results, curve=curve, fingerprints=outdated), (0,))
    for name, age in (("old", 2 * 86400), ("new", 0)):
        path = again / f".{name}.123-{'0' * 32}.tmp"
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    return place


def kinds(results: Path, root: Path, *wanted: str) -> list[tuple[str, str]]:
    return [(each.kind, each.path.name) for each in find_removable(results, root, wanted or KINDS)]


def test_superseded_results_stale_runs_and_temporary_files_of_dead_processes_are_found(
    results: Path, tmp_path: Path
) -> None:
    (stale,) = (run for run in survey(results, tmp_path) if run.state == "stale")
    expected = [(SUPERSEDED, "superseded-1"), (STALE, stale.folder.name), (TEMPORARY, f".old.123-{'0' * 32}.tmp")]
    assert kinds(results, tmp_path) == expected
    assert kinds(results, tmp_path, TEMPORARY) == expected[2:]
    sizes = {each.kind: each.size for each in find_removable(results, tmp_path, KINDS)}
    assert sizes[TEMPORARY] == 4
    assert sizes[STALE] == sum(path.stat().st_size for path in stale.folder.iterdir())


def test_what_was_found_is_removed_and_the_rest_is_as_it_was(results: Path, tmp_path: Path) -> None:
    fresh = [run.folder for run in survey(results, tmp_path) if run.state == "fresh"]
    assert remove(find_removable(results, tmp_path, KINDS), results) == []
    assert kinds(results, tmp_path) == []
    assert [run.folder for run in survey(results, tmp_path)] == fresh
    assert not any(path.name == "uniform" for path in results.rglob("*"))  # the folder of the stale run's method
    assert len(list(results.rglob("*.tmp"))) == 1


def test_a_run_that_a_process_works_on_is_left(results: Path, tmp_path: Path) -> None:
    found = find_removable(results, tmp_path, [STALE])
    with leased(RunFolder(found[0].path)):
        assert remove(found, results) == found
    assert RunFolder(found[0].path).has_record


def test_caches_of_images_are_found_unless_they_are_written_now(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.pixels", "a.rows", "a.json", "a.lock", "b.pixels", "b.lock"):
        (folder / name).write_bytes(b"1234")
    with (folder / "b.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert kinds(results, tmp_path, CACHES) == [(CACHES, name) for name in ("a.json", "a.pixels", "a.rows")]
    remove(find_removable(results, tmp_path, [CACHES]), results)
    assert sorted(path.name for path in folder.iterdir()) == ["a.lock", "b.lock"]


def test_nothing_is_removed_through_a_link(results: Path, tmp_path: Path) -> None:
    root, other = tmp_path / "data", tmp_path / "other"
    other.mkdir()
    (other / "toy-all").symlink_to(results / "toy-all")
    assert len(survey(other, root)) == 4
    assert kinds(other, root) == []


def test_nothing_is_removed_from_a_pack(results: Path, tmp_path: Path) -> None:
    contents = collect(results, weights=False)
    write_pack(tmp_path / "x.zip", contents.members, contents.left_out)
    with pytest.raises(StoreError, match=r"x\.zip is a pack, which is only read"):
        find_removable(tmp_path / "x.zip", tmp_path, KINDS)
