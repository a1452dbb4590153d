"""``mtbench store verify``: what it prints, its exit code, and the levels of trust that it keeps."""

import json
import shutil
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.store.files.reading import read_bytes
from mtbench.store.record.sealed import seal
from mtbench.store.status import survey
from mtbench.store.trust import read_earned, verified_path
from tests.cli.commands import call
from tests.door.checks.trained import forge, pack, train, with_metric


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("trained"), ["toy-all"], [0, 1])


@pytest.fixture(autouse=True)
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the runs in ``mine`` and in ``x.zip``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    shutil.copytree(trained, tmp_path / "mine")
    pack(tmp_path / "mine", tmp_path / "x.zip")
    return tmp_path


def verify(*words: str, code: int = 0) -> str:
    done = call(app, "store", "verify", *words)
    assert done.exit_code == code, done.output
    return done.output


def levels(results: str) -> list[str]:
    return [run.level for run in survey(Path(results), Path("data"))]


@pytest.mark.parametrize("results", ["mine", "x.zip"])
def test_runs_whose_metrics_are_derived_again_are_recomputed(results: str) -> None:
    assert levels(results) == ["reported"] * 2
    assert f"{results}: 2 recomputed, 0 unverifiable, 0 differing" in verify("--recompute", results)
    assert levels(results) == ["recomputed"] * 2
    (entry, _) = read_earned(Path(results)).values()
    assert entry.data == "toy-1"
    assert entry.predictions
    assert entry.mtbench


@pytest.mark.parametrize("packed", [False, True])
def test_a_forged_number_is_printed_by_run_split_task_and_metric_and_costs_the_level(place: Path, packed: bool) -> None:
    results = "y.zip" if packed else "mine"
    verify("--recompute", "mine")
    run = forge(next((place / "mine").rglob("seed-1-*")), lambda old: with_metric(old, "test", "upper", accuracy=99.5))
    if packed:
        pack(place / "mine", place / "y.zip")
    assert "every file is as it was recorded" in verify(results)
    said = verify("--recompute", results, code=1)
    assert f"{run}: test, upper, accuracy: stored 99.5, derived " in said
    assert f"{results}: 1 recomputed, 0 unverifiable, 1 differing" in said
    assert levels(results) == ["recomputed", "reported"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_number_that_was_altered_and_not_sealed_is_found_by_the_checksum(place: Path, packed: bool) -> None:
    path = next((place / "mine").rglob("record.json"))
    text = path.read_text()
    number = json.loads(text)["record"]["training_examples"]
    altered = text.replace(f'"training_examples": {number}', f'"training_examples": {number + 1}')
    if packed:
        whole = (place / "x.zip").read_bytes()
        (place / "mine.zip").write_bytes(whole.replace(text.encode(), altered.encode()))
        said = verify("mine.zip", code=1)
    else:
        path.write_text(altered)
        said = verify("mine", code=1)
    assert f"{'/'.join(path.parts[-4:])}: " in said


def test_a_run_that_is_trained_again_is_re_executed_and_stays_so() -> None:
    said = verify("--recompute", "--rerun", "1", "--draw", "a later commit", "x.zip")
    assert "equal to the bit" in said
    assert "x.zip: 1 retrained: 1 equal to the bit" in said
    assert sorted(levels("x.zip")) == ["re-executed", "recomputed"]
    verify("--recompute", "x.zip")
    assert sorted(levels("x.zip")) == ["re-executed", "recomputed"]


def test_levels_do_not_travel(place: Path) -> None:
    verify("--recompute", "mine", "x.zip")
    assert (place / "mine" / "verified.json").exists()
    assert verified_path(Path("x.zip")) == Path("x.zip.verified.json")
    assert "belongs to nothing" not in verify("mine")
    call(app, "store", "pack", "mine", "y.zip")
    assert (place / "y.zip").read_bytes() == (place / "x.zip").read_bytes()
    call(app, "store", "merge", "mine", "x.zip", "--out", "z")
    assert not list((place / "z").rglob("*verified.json"))
    assert levels("y.zip") == levels("z") == ["reported"] * 2


def test_levels_that_somebody_put_into_a_pack_are_not_unpacked(place: Path) -> None:
    from mtbench.store.pack.write import write_pack

    verify("--recompute", "mine")
    members = {path.relative_to(place / "mine").as_posix(): path for path in (place / "mine").rglob("*.json")}
    assert "verified.json" in members
    write_pack(place / "y.zip", members, {})
    assert levels("y.zip") == ["reported"] * 2
    call(app, "store", "unpack", "y.zip", "again")
    assert not (place / "again" / "verified.json").exists()


def test_levels_that_were_changed_by_hand_do_not_count_and_are_named(place: Path) -> None:
    verify("--recompute", "mine")
    path = place / "mine" / "verified.json"
    path.write_text(path.read_text().replace('"rerun": ""', '"rerun": "bits"'))
    said: list[str] = []
    assert [run.level for run in survey(Path("mine"), Path("data"), said.append)] == ["reported"] * 2
    assert said[0].startswith("mine/verified.json does not count: its checksum is ")
    assert "mtbench store verify --recompute mine" in said[0]
    assert "does not count" in verify("--recompute", "mine")
    assert levels("mine") == ["recomputed"] * 2


def test_a_later_change_of_the_predictions_takes_the_level_away(place: Path) -> None:
    verify("--recompute", "mine")
    path = next((place / "mine").rglob("seed-0-*")) / "predictions.npz"
    path.write_bytes(path.read_bytes()[:-1])
    assert levels("mine") == ["reported", "recomputed"]


def test_entries_of_records_that_are_gone_are_dropped(place: Path) -> None:
    verify("--recompute", "mine")
    next((place / "mine").rglob("record.json")).unlink()
    verify("--recompute", "mine")
    assert len(read_earned(Path("mine"))) == 1


def test_a_file_of_levels_of_a_later_mtbench_is_not_read(place: Path) -> None:
    (place / "mine" / "verified.json").write_text(seal("verified", {"format": 2, "runs": []}))
    assert levels("mine") == ["reported"] * 2
    assert read_bytes(place / "mine" / "verified.json")
