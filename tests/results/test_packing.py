"""Evidence in packs: by day, and back into folders."""

import dataclasses
from pathlib import Path

import pytest

from mtbench.plan.grid import Request, plan
from mtbench.plan.suite.file import find_suite
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.store.record import Record, TaskResult
from mtbench.store.record.sealed import seal
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.suites.declaration import declare
from mtbench.store.suites.resolutions import read_resolutions, resolution_path
from mtbench.store.union import survey_all
from mtbench.store.upkeep.verify import verify
from results import packing
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of

DAYS = ("2026-11-28", "2026-11-29")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two runs that finished on one day, one that finished on the next, and one that did not."""
    place = tmp_path / "work" / "here"
    publish(place, finished(DAYS[0]), seeds=(0, 1))
    publish(place, finished(DAYS[1]), seeds=(2,))
    RunFolder(place / "toy-all" / "moo" / "seed-3-0123456789ab").write_spec(finished(DAYS[0]).spec)
    return place


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    place = tmp_path / "kept" / "here"
    declare(place, find_suite("levi2020-table2c"))
    return place


def finished(day: str) -> Record:
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    (spec,) = plan(Request(methods=["moo"], datasets=["toy-all"], settings={}, seeds=[0]))
    return record_of(spec, accuracies("upper"), results, finished=f"{day}T12:00:00+00:00")


def contents(kept: Path) -> dict[str, list[int]]:
    """Return the seeds in each pack."""
    packs = sorted(kept.glob("*.zip"))
    return {pack.name: [run.spec.seed for run in survey_all([pack], kept)] for pack in packs}


def test_finished_runs_are_packed_by_the_day_on_which_they_finished(work: Path, kept: Path) -> None:
    assert packing.add(work, kept) == [kept / f"{day}.zip" for day in DAYS]
    assert contents(kept) == {f"{DAYS[0]}.zip": [0, 1], f"{DAYS[1]}.zip": [2]}
    assert all(verify(pack).is_sound for pack in kept.glob("*.zip"))


def test_weights_that_rows_of_a_suite_took_are_in_the_packs_since_their_day_and_come_back(
    work: Path, kept: Path, tmp_path: Path
) -> None:
    resolution = Resolution(
        suite="mine",
        size="paper",
        dataset="toy-all",
        variation=(),
        method="branches+fixed:from=dwa",
        first="branches+dwa",
        tasks=("upper", "lower"),
        weights=(0.5, 0.5),
        seeds=(0,),
        runs=("a",),
        at=f"{DAYS[1]}T12:00:00+00:00",
    )
    path = resolution_path(work, resolution)
    path.parent.mkdir(parents=True)
    path.write_text(seal("resolution", dataclasses.asdict(resolution)))
    packs = packing.add(work, kept)
    assert [read_resolutions([pack]) for pack in packs] == [[], [resolution]]
    again = tmp_path / "again" / "here"
    packing.prepare(again, kept)
    assert read_resolutions([again]) == [resolution]


def test_the_pack_of_a_day_that_is_over_stays_as_it_is(work: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packing.add(work, kept)
    before = (kept / f"{DAYS[0]}.zip").read_bytes()
    publish(work, finished(DAYS[1]), seeds=(4,))
    monkeypatch.setattr("mtbench.store.pack.write.__version__", "9.9.9")  # nor does a new release write it anew
    assert packing.add(work, kept) == [kept / f"{DAYS[1]}.zip"]
    assert (kept / f"{DAYS[0]}.zip").read_bytes() == before
    assert contents(kept)[f"{DAYS[1]}.zip"] == [2, 4]


def test_a_retrained_run_moves_to_its_new_day(work: Path, kept: Path) -> None:
    packing.add(work, kept)
    (again,) = work.rglob("seed-2-*")
    with leased(RunFolder(again)) as held:
        held.supersede()
    publish(work, finished("2026-11-30"), seeds=(2,))
    packing.add(work, kept)
    assert contents(kept) == {f"{DAYS[0]}.zip": [0, 1], "2026-11-30.zip": [2]}


def test_a_run_that_is_in_a_pack_alone_stays_there(work: Path, kept: Path, tmp_path: Path) -> None:
    packing.add(work, kept)
    other = tmp_path / "work" / "other"
    publish(other, finished(DAYS[1]), seeds=(5,))
    packing.add(other, kept)
    assert contents(kept) == {f"{DAYS[0]}.zip": [0, 1], f"{DAYS[1]}.zip": [2, 5]}


def test_a_folder_to_train_into_is_made_from_the_packs_and_goes_on_from_there(work: Path, kept: Path) -> None:
    packing.add(work, kept)
    again = work.with_name("again")
    packing.prepare(again, kept)
    assert [run.spec.seed for run in survey_all([again], kept)] == [0, 1, 2]
    assert (again / "suites" / "levi2020-table2c.json").exists()
    before = {pack.name: pack.read_bytes() for pack in kept.glob("*.zip")}
    packing.add(again, kept)
    assert {pack.name: pack.read_bytes() for pack in kept.glob("*.zip")} == before  # weights that are gone stay listed
    publish(again, finished("2026-11-30"), seeds=(7,))
    packing.prepare(again, kept)  # a folder that is there is left as it is
    assert [run.spec.seed for run in survey_all([again], kept)] == [0, 1, 2, 7]


def test_declarations_are_in_the_packs_of_their_day_and_later(work: Path, kept: Path) -> None:
    declared = declare(kept, find_suite("levi2020-table2c"))
    day = declared.at.partition("T")[0]
    packing.prepare(work, kept)
    publish(work, finished(day), seeds=(8,))
    publish(work, finished("9999-12-31"), seeds=(9,))
    packing.add(work, kept)
    with_suite = {pack.stem for pack in kept.glob("*.zip") if "suites/levi2020-table2c.json" in names(pack)}
    assert with_suite == {stem for stem in (*DAYS, day, "9999-12-31") if stem >= day}


def names(pack: Path) -> set[str]:
    from zipfile import ZipFile

    with ZipFile(pack) as archive:
        return set(archive.namelist())


def test_large_predictions_are_left_out_and_listed(work: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST", 10)
    packing.add(work, kept)
    assert not any(name.endswith("predictions.npz") for pack in kept.glob("*.zip") for name in names(pack))
    (run,) = survey_all([kept / f"{DAYS[1]}.zip"], kept)
    assert dataclasses.replace(run, record=None).absent == ("model.safetensors", "predictions.npz")
