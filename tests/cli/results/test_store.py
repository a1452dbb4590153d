"""``mtbench store``: packs written, unpacked, merged, verified and pruned, and read by other commands."""

import dataclasses
import re
from pathlib import Path

import pytest

import mtbench
from mtbench.cli.app import app
from mtbench.errors import StoreError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.store.record import CurvePoint, Record, TaskResult, render_record
from mtbench.store.run.folder import RunFolder
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of
from tests.cli.commands import call


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with two finished runs of two methods in ``kept``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    for record in records():
        publish(tmp_path / "kept", record)
    return tmp_path


def records() -> list[Record]:
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    curve = (CurvePoint(epoch=1, steps=6, label_uses=192, train_losses={"upper": 0.5}, results=results),)
    specs = plan(Request(methods=["moo", "uniform"], datasets=["toy-all"], settings={}, seeds=[0]))
    return [record_of(spec, accuracies("upper"), results, curve=curve) for spec in specs]


def shown(*arguments: str) -> str:
    done = call(app, *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_folder_travels_as_one_file_and_is_unpacked_again() -> None:
    said = shown("store", "pack", "kept", "x.zip")
    assert re.search(r"x\.zip needs [0-9.]+ kB\.", said)
    assert "x.zip has 4 finished runs, in 17 files." in said
    assert "left out: weights (4 times)" in said
    assert re.search("again needs .*17 files are written to again", shown("store", "unpack", "x.zip", "again"), re.S)
    assert "0 files are written to again; 17 were there already" in shown("store", "unpack", "x.zip", "again")
    shown("store", "pack", "again", "y.zip")
    assert shown("store", "verify", "again", "x.zip", "kept").count("every file is as it was recorded") == 3


def test_every_reader_takes_a_pack_in_place_of_a_folder(place: Path) -> None:
    shown("store", "pack", "kept", "x.zip")
    for folder in ("kept", "x.zip"):
        state = shown("status", folder)
        assert re.search(r"toy-all +paper +moo +2", state)
        shown("report", folder, "--out", f"report-{folder}")
        shown("export", folder, "--out", f"{folder}.csv")
    assert "Not here: model.safetensors of 4 runs." in state
    tables = {path.name: path.read_text() for path in (place / "report-kept").glob("*.csv")}
    assert tables
    assert tables == {path.name: path.read_text() for path in (place / "report-x.zip").glob("*.csv")}
    assert (place / "kept.csv").read_text() == (place / "x.zip.csv").read_text()
    assert mtbench.load("x.zip").equals(mtbench.load("kept"))
    assert mtbench.curves(["x.zip", "kept"]).equals(mtbench.curves("kept"))
    assert mtbench.compare("x.zip", "moo", "uniform").equals(mtbench.compare("kept", "moo", "uniform"))


def test_a_folder_of_packs_says_how_they_are_read(place: Path) -> None:
    (place / "packs").mkdir()
    shown("store", "pack", "kept", "packs/x.zip")
    with pytest.raises(UsageError, match=r"there are no runs in packs\. Name the packs in it: packs/\*\.zip"):
        call(app, "report", "packs")


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_pack_is_not_trained_into(more: list[str]) -> None:
    shown("store", "pack", "kept", "x.zip")
    for command in ("run", "search"):
        words = [command, "--methods", "moo", "--dataset", "toy-all", "--epochs", "1", "--results", "x.zip"]
        with pytest.raises(StoreError, match=r"x\.zip is a pack, which is only read.*mtbench store unpack x\.zip x"):
            call(app, *words, *more)


def test_several_results_are_merged_into_one(place: Path) -> None:
    for record in records():
        publish(place / "more", record, seeds=(1, 2))
    shown("store", "pack", "kept", "x.zip")
    assert "all.zip has 6 finished runs" in shown("store", "merge", "x.zip", "more", "--out", "all.zip")
    assert "x.zip has 6 finished runs" in shown("store", "merge", "x.zip", "more", "--out", "x.zip")
    assert (place / "x.zip").read_bytes() == (place / "all.zip").read_bytes()
    shown("store", "merge", "x.zip", "kept", "--weights", "--out", "kept")
    assert len(list((place / "kept").rglob("record.json"))) == 6
    assert len(list((place / "kept").rglob("model.safetensors"))) == 4


def test_runs_that_are_there_and_not_merged_are_not_lost(place: Path) -> None:
    shown("store", "pack", "kept", "x.zip")
    publish(place / "more", records()[0], seeds=(7,))
    for out in ("x.zip", "kept"):
        with pytest.raises(UsageError, match=r"--out .* has 4 runs that are not among what is merged\. Name it too"):
            call(app, "store", "merge", "more", "--out", out)


def test_a_merge_is_given_again() -> None:
    for out in ("all.zip", "all"):
        first = shown("store", "merge", "kept", "--out", out)
        assert shown("store", "merge", "kept", "--out", out).splitlines()[-2:] == first.splitlines()[-2:]


def test_two_records_of_one_run_are_shown_and_nothing_is_written(place: Path) -> None:
    shown("store", "pack", "kept", "x.zip")
    path = next((place / "kept").rglob("record.json"))
    record = RunFolder(path.parent).record()
    assert record is not None
    path.write_text(render_record(dataclasses.replace(record, finished="2027-01-01T00:00:00+00:00")))
    with pytest.raises(StoreError, match=r"two different records: x\.zip/.* of 2026-.*, and kept/.* of 2027-"):
        call(app, "store", "merge", "x.zip", "kept", "--out", "all.zip")
    assert not (place / "all.zip").exists()


def test_a_pack_inside_of_what_it_is_made_of_is_refused() -> None:
    with pytest.raises(UsageError, match=r"kept/x\.zip is in kept, the folder that is packed"):
        call(app, "store", "pack", "kept", "kept/x.zip")


def test_verify_names_what_is_wrong_and_status_and_report_notice_it(place: Path) -> None:
    for path in (place / "kept").rglob("predictions.npz"):
        path.write_bytes(bytes(path.stat().st_size))
    (place / "kept" / "notes.txt").write_text("mine")
    done = call(app, "store", "verify", "kept")
    assert done.exit_code == 1
    assert done.output.count("predictions.npz: its sum is") == 4
    assert "kept/notes.txt belongs to nothing" in done.output
    assert re.search("4 finished runs, 22 files, .* kB: 4 are wrong", done.output)
    assert "changed toy-all moo seeds 0, 1: predictions.npz does not match its checksum" in shown("status", "kept")


def test_prune_shows_what_goes_and_removes_it_when_told(place: Path) -> None:
    said = shown("store", "prune", "kept", "--only", "stale")
    assert re.search(r"4 stale, [0-9.]+ kB: finished runs of which the code or the data changed since", said)
    assert said.endswith("Nothing is removed without --yes.\n")
    assert len(list((place / "kept").rglob("record.json"))) == 4
    assert "Removed" in shown("store", "prune", "kept", "--only", "stale", "--yes")
    assert [path.name for path in (place / "kept").rglob("*") if path.is_file()] == ["mtbench-results.json"]
    assert shown("store", "prune", "kept") == "Nothing to remove in kept.\n"
    with pytest.raises(UsageError, match="Allowed: superseded, stale, temporary, caches"):
        call(app, "store", "prune", "kept", "--only", "stael")
