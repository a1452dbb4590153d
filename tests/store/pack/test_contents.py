"""The content of a pack of results, and several results together."""

import dataclasses
from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.store.pack.contents import collect, unite
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record, render_record
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from tests.builders.published import publish


@pytest.fixture
def results(tmp_path: Path, record: Record) -> Path:
    """Two finished runs."""
    publish(tmp_path / "results", record)
    return tmp_path / "results"


def placed(results: Path, seed: int) -> Path:
    return next(path.parent for path in results.rglob(f"seed-{seed}-*/record.json"))


def names(folder: Path, results: Path) -> str:
    return folder.relative_to(results).as_posix()


def test_finished_runs_are_taken_without_weights_and_logs(results: Path) -> None:
    first = placed(results, 0)
    for name in ("attempts.jsonl", "log.txt", "checkpoint.pt", "files.json", "failure.json"):
        (first / name).write_text("{}")
    found, run = collect(results, weights=False), names(first, results)
    taken = sorted(name for name in found.members if name.startswith(run))
    assert taken == [f"{run}/{name}" for name in ("curve.jsonl", "predictions.npz", "record.json", "spec.json")]
    assert {name.removeprefix(f"{run}/"): why for name, why in found.left_out.items() if name.startswith(run)} == {
        "model.safetensors": "weights",
        "attempts.jsonl": "log of attempts",
        "log.txt": "log",
        "checkpoint.pt": "checkpoint",
        "files.json": "paths on the machine of the run",
        "failure.json": "failure of an earlier attempt",
    }
    assert f"{run}/model.safetensors" in collect(results, weights=True).members
    assert "mtbench-results.json" in found.members


def test_what_is_not_finished_or_superseded_is_left_out_with_the_reason(results: Path, record: Record) -> None:
    for seed, kind in ((7, "failed"), (8, "begun")):
        run = RunFolder(results / dataclasses.replace(record.spec, seed=seed).folder)
        run.write_spec(dataclasses.replace(record.spec, seed=seed))
        if kind == "failed":
            run.write_failure(kind="nan", message="the loss is NaN")
    with leased(RunFolder(placed(results, 1))) as held:
        held.supersede()
    (results / "notes.txt").write_text("mine")
    found = collect(results, weights=False)
    assert len(found.runs) == 1
    reasons = {name.rpartition("seed-")[2][:2]: why for name, why in found.left_out.items() if "seed-" in name}
    assert reasons["7-"] == "failed: the loss is NaN"
    assert reasons["8-"] == "not finished"
    assert sorted(why for name, why in found.left_out.items() if "seed-1" in name) == [
        "not finished",
        "superseded results",
    ]
    assert found.left_out["notes.txt"] == "belongs to no run, search or suite"


def test_predictions_above_a_size_may_be_left_out(results: Path) -> None:
    found = collect(results, weights=False, largest=10)
    assert not any(name.endswith("predictions.npz") for name in found.members)
    assert any(why.startswith("predictions of ") and why.endswith(" kB") for why in found.left_out.values())


def test_results_that_do_not_match_their_sums_are_not_packed(results: Path) -> None:
    path = placed(results, 0) / "predictions.npz"
    path.write_bytes(bytes(len(path.read_bytes())))
    with pytest.raises(StoreError, match=r"1 file of .*predictions\.npz \(its sum is .*mtbench store verify"):
        collect(results, weights=False)


def test_a_pack_of_a_pack_is_the_same_pack(results: Path, tmp_path: Path) -> None:
    found = collect(results, weights=False)
    write_pack(tmp_path / "x.zip", found.members, found.left_out)
    again = collect(tmp_path / "x.zip", weights=False)
    write_pack(tmp_path / "y.zip", again.members, again.left_out)
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()


def test_one_run_in_two_places_counts_once_and_has_the_files_of_both(
    results: Path, tmp_path: Path, record: Record
) -> None:
    publish(tmp_path / "other", record, seeds=(1, 2))
    (placed(tmp_path / "other", 1) / "predictions.npz").unlink()
    found = unite([collect(path, weights=False) for path in (tmp_path / "other", results)])
    assert sorted(name.rpartition("-")[0] for name in found.runs) == ["seed-0", "seed-1", "seed-2"]
    predictions = next(path for name, path in found.members.items() if "seed-1" in name and name.endswith(".npz"))
    assert predictions.is_relative_to(results)


def test_a_run_under_another_title_keeps_the_place_of_the_first(results: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run = placed(results, 0)
    moved = other / "elsewhere" / "mine" / run.name
    moved.mkdir(parents=True)
    for name in ("spec.json", "record.json"):
        (moved / name).write_bytes((run / name).read_bytes())
    found = unite([collect(path, weights=False) for path in (other, results)])
    assert found.runs[run.name] == f"elsewhere/mine/{run.name}"
    assert found.members[f"elsewhere/mine/{run.name}/predictions.npz"] == run / "predictions.npz"


def test_two_records_of_one_run_are_an_error_that_shows_both(results: Path, tmp_path: Path, record: Record) -> None:
    publish(tmp_path / "other", record)
    run = placed(tmp_path / "other", 1)
    found = RunFolder(run).record()
    assert found is not None
    (run / "record.json").write_text(render_record(dataclasses.replace(found, finished="2027-01-01T00:00:00+00:00")))
    with pytest.raises(StoreError, match=r"seed 1\) has two different records: .*results/.* of 2026.*other/.* of 2027"):
        unite([collect(path, weights=False) for path in (results, tmp_path / "other")])


def test_a_run_that_another_part_has_finished_is_not_left_out(results: Path, tmp_path: Path, record: Record) -> None:
    spec = dataclasses.replace(record.spec, seed=5)
    RunFolder(results / spec.folder).write_spec(spec)
    publish(tmp_path / "other", record, seeds=(5,))
    parts = [collect(path, weights=False) for path in (results, tmp_path / "other")]
    assert spec.folder in parts[0].left_out
    assert spec.folder not in unite(parts).left_out
