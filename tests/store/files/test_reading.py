"""Results read from a folder and from a pack."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mtbench.errors import StoreError
from mtbench.plan.suite.file import find_suite
from mtbench.store.files.reading import files_below, inside, is_there, read_bytes, size_of
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record
from mtbench.store.results import mark_results, run_folders
from mtbench.store.status import RunStatus, survey
from mtbench.store.suites.declaration import declare, read_declaration
from mtbench.store.union import studies_of, survey_all
from tests.builders.published import publish


@pytest.fixture
def results(tmp_path: Path, record: Record) -> Path:
    """Two finished runs, and a declared suite."""
    publish(tmp_path / "results", record)
    declare(tmp_path / "results", find_suite("levi2020-table2c"))
    return tmp_path / "results"


@pytest.fixture
def pack(results: Path) -> Path:
    """A pack of them, with weights."""
    found = collect(results, weights=True)
    write_pack(results.with_name("x.zip"), found.members, found.left_out)
    return results.with_name("x.zip")


def plain(status: RunStatus) -> RunStatus:
    return dataclasses.replace(status, folder=Path(status.folder.name))


def test_a_pack_has_the_files_of_its_folder(results: Path, pack: Path) -> None:
    assert files_below(pack) == files_below(results)
    for name in files_below(results):
        assert read_bytes(pack / name) == read_bytes(results / name)
        assert size_of(pack / name) == size_of(results / name) == len(read_bytes(results / name))
    folder = next(name for name in files_below(results) if name.endswith("spec.json")).rpartition("/")[0]
    for place in (pack, results):
        assert is_there(place / folder)
        assert not is_there(place / folder / "spec.json")
        assert not is_there(place / "nowhere")
        assert files_below(place / folder)[0] == "curve.jsonl"
        with pytest.raises(FileNotFoundError):
            read_bytes(place / "nowhere")


def test_runs_in_a_pack_have_the_states_and_records_of_those_in_a_folder(
    results: Path, pack: Path, tmp_path: Path
) -> None:
    found = [list(map(plain, survey(place, tmp_path))) for place in (results, pack)]
    assert found[0] == found[1]
    assert [run.state for run in found[1]] == ["fresh", "fresh"]


def test_weights_and_predictions_are_read_from_a_pack(pack: Path) -> None:
    run = run_folders(pack)[1]
    record = run.record()
    assert record is not None
    assert torch.equal(run.model(record)["weight"], torch.tensor([1.0, 2.0, 3.0]))
    assert np.array_equal(run.predictions(record)["upper"], np.arange(5))
    assert (run.has_record, run.has_checkpoint, run.is_leased) == (True, False, False)


def test_declarations_are_read_from_a_pack(results: Path, pack: Path) -> None:
    assert read_declaration(pack, "levi2020-table2c") == read_declaration(results, "levi2020-table2c")
    assert read_declaration(pack, "another") is None


def test_a_folder_and_packs_are_read_together(results: Path, pack: Path, tmp_path: Path, record: Record) -> None:
    publish(tmp_path / "more", record, seeds=(2,))
    found = survey_all([pack, tmp_path / "more", results], tmp_path)
    assert [run.spec.seed for run in found] == [0, 1, 2]
    assert found[0].folder.is_relative_to(pack)
    assert studies_of([pack, results]) == []


def test_of_a_run_in_two_places_the_one_with_its_files_counts(results: Path, pack: Path, tmp_path: Path) -> None:
    for path in results.rglob("predictions.npz"):
        path.write_bytes(b"garbage")
    assert all(run.folder.is_relative_to(pack) for run in survey_all([results, pack], tmp_path))


def test_a_pack_is_not_written_to(pack: Path, record: Record) -> None:
    for place in (pack, pack / "below"):
        with pytest.raises(StoreError, match=r"x\.zip.* is a pack, which is only read.*mtbench store unpack .*x\.zip"):
            mark_results(place)
    run = run_folders(pack)[0]
    with pytest.raises(StoreError, match="Something on that path is a file, not a folder"):
        run.write_spec(dataclasses.replace(record.spec, seed=9))


def test_a_folder_with_the_name_of_a_pack_is_a_folder(results: Path, tmp_path: Path) -> None:
    place = shutil.copytree(results, tmp_path / "not.zip")
    assert inside(place) is None
    assert len(survey(place, tmp_path)) == 2


def test_a_pack_that_is_not_there_is_told_like_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no results folder .*nowhere\.zip"):
        run_folders(tmp_path / "nowhere.zip")


def test_a_file_that_is_no_pack_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(StoreError, match=r"x\.zip is no pack, or is damaged"):
        survey(tmp_path / "x.zip", tmp_path)
