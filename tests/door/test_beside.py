"""Reports of a method of one's own beside a kept pack of references."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import mtbench
from mtbench.door.contents import read_beside
from mtbench.errors import UsageError
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import read_record, render_record


def train(methods: str, seeds: int, results: Path, *, epochs: int = 1) -> None:
    mtbench.run(methods, "toy2", seeds=seeds, results=results, epochs=epochs, images=20, quiet=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results of one's own, `own`, and kept ones, `kept` and `kept.zip`."""
    place = tmp_path_factory.mktemp("beside")
    train("single,uniform", 2, place / "kept")
    train("uniform", 1, place / "kept", epochs=2)
    train("moo", 2, place / "own")
    found = collect(place / "kept", weights=False)
    write_pack(place / "kept.zip", found.members, found.left_out)
    return place


def test_runs_of_a_pack_stand_beside_own_ones_with_the_name_of_the_pack(place: Path) -> None:
    found = read_beside(place / "own", place / "kept.zip")
    origins = {(run.spec.titles.method, run.origin) for run in found.runs}
    assert origins == {("moo", ""), ("single", "kept.zip"), ("uniform", "kept.zip")}
    assert len(found.comparisons()) == 1
    assert found.unread == [
        "kept.zip: 1 run left out: 1 under other training protocols (toy2, paper, epochs=2, images=20)."
    ]


def test_a_report_with_a_pack_marks_its_rows_and_leaves_it_as_it_is(place: Path, tmp_path: Path) -> None:
    before = (place / "kept.zip").read_bytes()
    files = mtbench.report(place / "own", baselines=place / "kept.zip", out=tmp_path, quiet=True)
    (table,) = [file for file in files if file.name.endswith("-table.md")]
    text = table.read_text()
    assert "| single (kept)" in text
    assert "| moo |" in text
    assert "runs of single and uniform are from kept.zip, code mtbench" in text
    assert "single (kept)" in (tmp_path / "index.html").read_text()
    assert (place / "kept.zip").read_bytes() == before


def test_a_run_that_is_in_both_counts_once_and_as_ones_own(place: Path, tmp_path: Path) -> None:
    own = shutil.copytree(place / "own", tmp_path / "own")
    shutil.copytree(place / "kept" / "toy2" / "uniform", own / "toy2" / "uniform")
    found = read_beside(own, place / "kept.zip")
    assert [run.origin for run in found.shown if run.spec.titles.method == "uniform"].count("kept.zip") == 0
    assert len({run.folder.name for run in found.shown}) == len(found.shown)


def test_of_two_records_of_one_run_ones_own_is_shown_and_the_other_is_named(place: Path, tmp_path: Path) -> None:
    own = shutil.copytree(place / "own", tmp_path / "own")
    train("uniform", 2, own)
    found = read_beside(own, place / "kept.zip")
    assert {run.origin for run in found.shown if run.spec.titles.method == "uniform"} == {""}
    assert "kept.zip: 2 runs left out that you have trained too (toy2 uniform). Yours are shown." in found.unread


def test_stale_kept_runs_have_their_mark_or_are_left_out_and_counted(place: Path, tmp_path: Path) -> None:
    kept = shutil.copytree(place / "kept", tmp_path / "kept")
    for path in kept.glob("toy2/single/*/record.json"):
        record = read_record(path.read_bytes(), str(path))
        path.write_text(render_record(replace(record, fingerprints=replace(record.fingerprints, numerics=0))))
    states = {run.spec.titles.method: run.state for run in read_beside(place / "own", kept).runs}
    assert states == {"moo": "fresh", "single": "stale", "uniform": "fresh"}
    found = read_beside(place / "own", kept, fresh_only=True)
    assert {run.spec.titles.method for run in found.runs} == {"moo", "uniform"}
    assert "kept: 2 runs left out that are stale." in found.unread


def test_without_own_runs_a_pack_is_no_report(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no runs in"):
        read_beside(tmp_path / "empty", place / "kept.zip")
    with pytest.raises(UsageError, match=r"the kept pack is '.*missing\.zip', and there is nothing"):
        read_beside(place / "own", tmp_path / "missing.zip")
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match=r"there are no runs in .*none"):
        read_beside(place / "own", tmp_path / "none")


def search(methods: str, results: Path) -> None:
    space = {"lr": "1e-3/1e-1", "options": "declared"}
    mtbench.search(
        methods,
        "toy2",
        trials=2,
        space=space,
        sampler="qmc",
        retrain=2,
        results=results,
        epochs=1,
        images=20,
        quiet=True,
    )


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tuned methods of one's own, `own`, and kept ones, `kept.zip`."""
    place = tmp_path_factory.mktemp("tuned")
    search("single,branches+cagrad", place / "kept")
    search("uniform", place / "own")
    found = collect(place / "kept", weights=False)
    write_pack(place / "kept.zip", found.members, found.left_out)
    return place


def test_tuned_methods_of_a_pack_stand_beside_ones_own_that_were_tuned_with_the_same_budget(
    tuned: Path, tmp_path: Path
) -> None:
    files = mtbench.report(tuned / "own", baselines=tuned / "kept.zip", out=tmp_path, quiet=True)
    (table,) = [file for file in files if file.name.endswith("-tuned.md")]
    text = table.read_text()
    assert all(row in text for row in ("| uniform |", "| single (kept) |", "| branches+cagrad (kept) |", "Δm"))


def test_tuned_runs_of_a_pack_are_no_rows_among_default_ones(tuned: Path) -> None:
    found = read_beside(tuned / "own", tuned / "kept.zip")
    rows = {(run.spec.protocol.lr, run.origin) for run in found.runs if run.origin}
    assert rows == {(1e-3, "kept.zip")}
    assert {each.origin for each in found.studies} == {"", "kept.zip"}
    assert found.unread == []


def test_a_folder_with_packs_is_one_pack_of_that_name(tuned: Path, tmp_path: Path) -> None:
    packs = tmp_path / "references"
    packs.mkdir()
    found = collect(tuned / "kept", weights=False)
    searches = {name for name in found.members if name.startswith("searches/")}
    shared = {name for name in found.members if "/" not in name}
    for stem, names in (("day", found.members.keys() - searches), ("searches", searches | shared)):
        write_pack(packs / f"{stem}.zip", {name: found.members[name] for name in names}, {})
    beside = read_beside(tuned / "own", packs)
    assert {run.origin for run in beside.runs} == {each.origin for each in beside.studies} == {"", "references"}
    assert beside.unread == []


def test_beside_default_runs_alone_a_pack_shows_its_defaults_and_how_to_spend_the_same(
    tuned: Path, tmp_path: Path
) -> None:
    train("moo", 2, tmp_path / "own")
    found = read_beside(tmp_path / "own", tuned / "kept.zip")
    assert {run.spec.titles.method for run in found.runs if run.origin} == {"single", "branches+cagrad"}
    assert found.studies == []
    said, command = found.unread
    assert said.startswith("kept.zip: 2 searches left out: 2 beside which none of your methods is tuned (toy2, paper,")
    assert " --methods moo --dataset toy2 " in command
    assert command.endswith("--space lr=0.001/0.1 --space options=declared")
