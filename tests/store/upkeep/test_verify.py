"""Files of results against what is recorded of them."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtbench.plan.suite.file import find_suite
from mtbench.store.files.reading import read_bytes
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record, render_record
from mtbench.store.run.checkpoint import CheckpointFile
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.study import study_files
from mtbench.store.suites.declaration import declaration_path, declare
from mtbench.store.upkeep.verify import ABSENT, FOREIGN, UNSUMMED, WRONG, verify
from tests.builders.kept import kept
from tests.builders.published import publish


@pytest.fixture
def results(tmp_path: Path, record: Record) -> Path:
    """Two finished runs, superseded results, one run that is not finished, and a declared suite."""
    place = tmp_path / "results"
    publish(place, record, seeds=(0, 1, 2, 2))
    (again,) = place.rglob("seed-2-*")
    with leased(RunFolder(again)) as held:
        held.supersede()
    CheckpointFile(again).write({"epoch": 1, "network": {"weight": torch.zeros(2)}})
    declare(place, find_suite("levi2020-table2c"))
    return place


def found(place: Path) -> list[tuple[str, str]]:
    return [(finding.kind, finding.path.name) for finding in verify(place).findings]


def test_results_as_they_were_recorded_have_no_findings(results: Path) -> None:
    checked = verify(results)
    assert checked.findings == []
    assert checked.runs == 3
    assert checked.files == sum(path.is_file() for path in results.rglob("*"))
    assert checked.size == sum(path.stat().st_size for path in results.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["model.safetensors", "predictions.npz", "curve.jsonl", "record.json"])
@pytest.mark.parametrize("folder", ["seed-0-*", "superseded-1"])
def test_a_changed_byte_is_found_in_every_file_of_a_run(results: Path, folder: str, name: str) -> None:
    (place,) = results.rglob(folder)
    content = bytearray((place / name).read_bytes())
    at = content.index(b"1") if b"1" in content else 0
    content[at] ^= 1
    (place / name).write_bytes(content)
    assert found(results) == [(WRONG, name)]
    assert not verify(results).is_sound


def test_a_changed_checkpoint_is_found(results: Path) -> None:
    (path,) = results.rglob("checkpoint.pt")
    path.write_bytes(path.read_bytes()[:-1])
    assert found(results) == [(WRONG, "checkpoint.pt")]


def test_files_that_are_not_here_are_named_and_not_wrong(results: Path) -> None:
    (place,) = results.rglob("seed-0-*")
    (place / "model.safetensors").unlink()
    assert found(results) == [(ABSENT, "model.safetensors")]
    assert verify(results).is_sound


def test_files_without_a_recorded_sum_are_named(results: Path) -> None:
    (place,) = results.rglob("seed-0-*")
    record = RunFolder(place).record()
    assert record is not None
    (place / "record.json").write_text(render_record(dataclasses.replace(record, files={})))
    assert found(results) == [(UNSUMMED, "model.safetensors"), (UNSUMMED, "predictions.npz")]


def test_files_that_belong_to_nothing_are_named(results: Path) -> None:
    for name in ("notes.txt", "toy-all/moo/model.safetensors", "toy-all/moo/seed-9-0123456789ab/predictions.npz"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).write_text("")
    assert [kind for kind, _ in found(results)] == [FOREIGN] * 3


def test_a_record_of_another_run_is_found(results: Path) -> None:
    first, second = (next(results.rglob(f"seed-{seed}-*")) for seed in (0, 1))
    (first / "record.json").write_bytes((second / "record.json").read_bytes())
    checked = verify(results)
    assert "it is of another run" in checked.findings[1].why


@pytest.mark.parametrize("change", [lambda text: text.replace('"runs": 0', '"runs": 1'), lambda text: text[:100]])
def test_a_changed_declaration_is_found(results: Path, change: Callable[[str], str]) -> None:
    path = declaration_path(results, "levi2020-table2c")
    path.write_text(change(path.read_text()))
    assert found(results) == [(WRONG, "levi2020-table2c.json")]


def test_a_search_is_checked_with_its_journal(tmp_path: Path) -> None:
    (found_study,) = (path for folder in kept("2026-11-24-mmnist2-search") for path in study_files(folder))
    place = tmp_path.joinpath(*found_study.parent.parts[-3:])
    place.mkdir(parents=True)
    for name in ("search.json", "journal.log"):
        (place / name).write_bytes(read_bytes(found_study.parent / name))
    assert verify(tmp_path).findings == []
    lines = (place / "journal.log").read_bytes().splitlines(keepends=True)
    (place / "journal.log").write_bytes(b"".join(lines)[:-1])
    (finding,) = verify(tmp_path).findings
    assert finding.why == f"its line {len(lines)} of {len(lines)} is no event"
    (place / "journal.log").write_bytes(b"".join(lines))
    study = json.loads((place / "search.json").read_text())
    study["study"]["planned"] += 1
    (place / "search.json").write_text(json.dumps(study))
    assert found(tmp_path) == [(WRONG, "search.json")]


def test_a_changed_byte_is_found_in_every_member_of_a_pack(results: Path, tmp_path: Path) -> None:
    contents = collect(results, weights=True)
    write_pack(tmp_path / "x.zip", contents.members, contents.left_out)
    assert verify(tmp_path / "x.zip").findings == []
    whole = (tmp_path / "x.zip").read_bytes()
    for name, path in contents.members.items():
        content = path.read_bytes()
        at = whole.index(content) + len(content) // 2
        (tmp_path / "y.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        wrong = verify(tmp_path / "y.zip")
        assert not wrong.is_sound, name
        assert Path(name).name in {finding.path.name for finding in wrong.findings}
