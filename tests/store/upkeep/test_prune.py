"""Files that nobody needs any more."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.store.files.atomic import temporary_name
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
from tests.store.test_preparation import HOLD, kill_a_writer

SIGNATURE = "from mtbench.store.files.process import signature; print(signature())"


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
    assert remove(find_removable(results, tmp_path, KINDS), results, tmp_path) == []
    assert kinds(results, tmp_path) == []
    assert [run.folder for run in survey(results, tmp_path)] == fresh
    assert not any(path.name == "uniform" for path in results.rglob("*"))  # the folder of the stale run's method
    assert len(list(results.rglob("*.tmp"))) == 1


def test_a_run_that_a_process_works_on_is_left(results: Path, tmp_path: Path) -> None:
    found = find_removable(results, tmp_path, [STALE])
    with leased(RunFolder(found[0].path)):
        assert remove(found, results, tmp_path) == found
    assert RunFolder(found[0].path).has_record


def test_caches_of_images_are_found_unless_they_are_written_now(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.pixels", "a.rows", "a.json", "a.lock", "b.pixels", "b.lock"):
        (folder / name).write_bytes(b"1234")
    with (folder / "b.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert kinds(results, tmp_path, CACHES) == [(CACHES, name) for name in ("a.json", "a.pixels", "a.rows")]
    remove(find_removable(results, tmp_path, [CACHES]), results, tmp_path)
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


def test_files_that_killed_processes_left_in_the_data_and_in_reports_are_temporary_ones(
    results: Path, tmp_path: Path
) -> None:
    root, reports = tmp_path / "data", tmp_path / "reports"
    root.mkdir()
    litter = kill_a_writer(root)
    (reports / "mmnist2").mkdir(parents=True)
    (reports / "mmnist2" / "table.csv").write_text("whole")
    dead = subprocess.run([sys.executable, "-c", SIGNATURE], capture_output=True, text=True, check=True, timeout=300)
    (reports / "mmnist2" / f".table.csv.{dead.stdout.strip()}-00000000.tmp").write_bytes(b"half")
    temporary_name(reports / "mmnist2" / "table.csv").write_bytes(b"of this process, which lives")
    outside = tmp_path / f".outside.{'0' * 32}"
    outside.write_text("x")
    (root / "link").symlink_to(tmp_path)
    found = find_removable(results, root, [TEMPORARY], reports=reports)
    marks = [path.name for path in root.iterdir() if path.match(".mtbench-preparing.*.tmp")]
    assert {each.path.name for each in found} == {
        litter.name,
        *marks,
        f".table.csv.{dead.stdout.strip()}-00000000.tmp",
        f".old.123-{'0' * 32}.tmp",
    }
    assert len(marks) == 1
    assert remove(found, results, root) == []
    assert find_removable(results, root, [TEMPORARY], reports=reports) == []
    assert len(list((reports / "mmnist2").iterdir())) == 2
    assert outside.exists()


def test_unfinished_data_of_a_living_process_are_neither_found_nor_removed(results: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    litter = kill_a_writer(root)
    found = find_removable(results, root, [TEMPORARY])
    assert litter in {each.path for each in found}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        (root / "mnist" / f".other.{'1' * 32}").write_text("being written by that process")
        assert {each.path.name for each in find_removable(results, root, [TEMPORARY])} == {f".old.123-{'0' * 32}.tmp"}
        left = remove(found, results, root)
        other.communicate("", timeout=300)
    assert litter not in {each.path for each in left}  # removed by that process before it began
    assert (root / "mnist" / f".other.{'1' * 32}").exists()


def test_unfinished_data_that_no_lock_guards_are_removed_after_a_day(results: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for name, age in (("old", 2 * 86400), ("new", 0)):
        path = root / f".{name}.{'0' * 32}"
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    found = [each for each in find_removable(results, root, [TEMPORARY]) if each.is_data]
    assert [each.path.name for each in found] == [f".old.{'0' * 32}"]
    remove(found, results, root)
    assert [path.name for path in root.iterdir()] == [f".new.{'0' * 32}"]
