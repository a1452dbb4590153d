"""A survey of a results folder: no run is lost without a word, and no file ends it."""

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtbench.store.record import Record
from mtbench.store.results import MARKER
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.status import RunStatus, survey


def published(folder: Path, record: Record) -> RunFolder:
    run = RunFolder(folder)
    run.write_spec(record.spec)
    with leased(run) as held:
        held.publish(record, {}, {})
    return run


def surveyed(folder: Path) -> tuple[list[RunStatus], list[str]]:
    """Return the runs below a folder, and the sentences on what cannot be read, with paths below it."""
    unread: list[str] = []
    return survey(folder, folder, unread.append), [line.replace(f"{folder}/", "") for line in unread]


def test_a_run_without_its_spec_is_known_by_its_record(tmp_path: Path, record: Record) -> None:
    run = published(tmp_path / record.spec.folder, record)
    (run.path / "spec.json").unlink()
    (found,), unread = surveyed(tmp_path)
    assert (found.state, found.spec) == ("fresh", record.spec)
    assert unread == [
        f"{record.spec.folder}/spec.json cannot be read: No such file or directory. The spec in the record counts."
    ]


def test_results_of_a_run_are_found_through_a_link_and_counted_once(tmp_path: Path, record: Record) -> None:
    published(tmp_path / "elsewhere" / record.spec.folder, record)
    (tmp_path / "results").mkdir()
    dataset = record.spec.folder.partition("/")[0]
    (tmp_path / "results" / dataset).symlink_to(tmp_path / "elsewhere" / dataset)
    (tmp_path / "results" / "again").symlink_to(tmp_path / "results")
    (found,), unread = surveyed(tmp_path / "results")
    assert found.folder == tmp_path / "results" / record.spec.folder
    assert unread == []


def test_a_link_to_nothing_and_a_folder_without_a_spec_are_named(tmp_path: Path, record: Record) -> None:
    (tmp_path / "toy2").symlink_to(tmp_path / "lost")
    folder = tmp_path / record.spec.folder
    folder.mkdir(parents=True)
    (folder / "failure.json").touch()
    assert surveyed(tmp_path) == (
        [],
        [
            f"toy2 is a link to {tmp_path}/lost, which is not there.".replace(f"{tmp_path}/", ""),
            f"{record.spec.folder} has neither a spec nor a record, and is left out.",
        ],
    )


def test_titles_are_those_of_the_record_and_a_spec_that_differs_is_named(tmp_path: Path, record: Record) -> None:
    run = published(tmp_path / record.spec.folder, record)
    path = run.path / "spec.json"
    path.write_text(path.read_text().replace('"method": "moo"', '"method": "td"'))
    (found,), unread = surveyed(tmp_path)
    assert (found.state, found.spec.titles) == ("fresh", record.spec.titles)
    assert unread == [
        f"{record.spec.folder}/spec.json calls the run 'toy-all, td, paper'. It is 'toy-all, moo, paper'."
    ]


def test_a_title_in_a_sealed_record_is_believed_as_far_as_it_describes_the_parts(
    tmp_path: Path, record: Record
) -> None:
    titles = dataclasses.replace(record.spec.titles, method="td", dataset="..")
    false = dataclasses.replace(record.spec, titles=titles)
    published(tmp_path / record.spec.folder, dataclasses.replace(record, spec=false))
    (found,), unread = surveyed(tmp_path)
    assert (found.spec.titles.dataset, found.spec.titles.method) == ("toy-all", f"branches+mgda-ub@{false.backbone}")
    assert len(unread) == 1


def test_a_record_whose_folder_has_its_identity_is_believed_beside_the_spec_of_another_run(
    tmp_path: Path, record: Record
) -> None:
    run = published(tmp_path / record.spec.folder, record)
    run.write_spec(dataclasses.replace(record.spec, seed=7))
    (found,), unread = surveyed(tmp_path)
    assert (found.state, found.spec) == ("fresh", record.spec)
    assert unread == [f"{record.spec.folder}/spec.json is of another run than the record beside it. The record counts."]


SEALED: dict[str, tuple[Callable[[Any], object], str]] = {
    "a later format": (lambda body: body.update(format=99), "has format 99, and this mtbench reads formats up to 2"),
    "an infinite format": (lambda body: body.update(format=math.inf), "OverflowError"),
    "an unknown schedule": (lambda body: body["spec"]["protocol"].update(schedule="sometimes"), "'sometimes'"),
    "a seed that tables cannot hold": (lambda body: body["spec"].update(seed=2**64 - 1), "its seed is 18,446,"),
    "no result of a task": (lambda body: body["results"]["test"].popitem(), "it has no result of task"),
    "no metric in the curve": (
        lambda body: body["curve"][0]["results"]["test"]["upper"]["metrics"].clear(),
        "it has no result of task 'upper' on the test split",
    ),
    "a count that tables cannot hold": (lambda body: body["cost"].update(steps=10**30), "it counts 1e+30"),
}


@pytest.mark.parametrize("case", SEALED)
def test_a_record_that_cannot_be_used_costs_its_own_run_alone(tmp_path: Path, record: Record, case: str) -> None:
    change, why = SEALED[case]
    other = dataclasses.replace(record, spec=dataclasses.replace(record.spec, seed=1))
    runs = [published(tmp_path / each.spec.folder, each) for each in (record, other)]
    body = json.loads((runs[0].path / "record.json").read_text())["record"]
    change(body)
    checksum = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    (runs[0].path / "record.json").write_text(json.dumps({"record": body, "sha256": checksum}))
    found, unread = surveyed(tmp_path)
    assert [run.spec.seed for run in found if run.state == "fresh"] == [1]
    assert why in " ".join([*unread, *(run.why for run in found)])


@pytest.mark.parametrize("name", ["spec.json", "record.json", "failure.json", "files.json", "claim.1", MARKER])
@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b'{"format": Infinity}', b"9" * 5000, b"\xff\xfe", b"null"])
def test_no_content_of_a_file_ends_a_survey(tmp_path: Path, record: Record, name: str, content: bytes) -> None:
    other = dataclasses.replace(record.spec, seed=1)
    published(tmp_path / record.spec.folder, record)
    run = RunFolder(tmp_path / other.folder)
    run.write_spec(other)
    (tmp_path / MARKER if name == MARKER else run.path / name).write_bytes(content)
    found, unread = surveyed(tmp_path)
    assert [status.state for status in found if status.spec.seed == 0] == ["fresh"]
    states = [status.state for status in found if status.spec.seed == 1]
    assert states in (["missing"], ["damaged"], ["failed"], ["running"]) or (states == [] and unread)


@pytest.mark.parametrize("name", ["spec.json", "record.json"])
def test_a_huge_file_is_named_and_not_read(tmp_path: Path, record: Record, name: str) -> None:
    run = published(tmp_path / record.spec.folder, record)
    os.truncate(run.path / name, 1 << 40)  # a hole: it takes no space
    (found,), unread = surveyed(tmp_path)
    assert (found.state == "damaged") is (name == "record.json")
    assert "it has 1,099,511,627,776 bytes" in " ".join([*unread, found.why])


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(record, spec=dataclasses.replace(record.spec, seed=1))
    published(tmp_path / "open" / other.spec.folder, other)
    published(tmp_path / "closed" / record.spec.folder, record)
    scandir = os.scandir

    def refused(path: str) -> object:
        if os.fspath(path) == str(tmp_path / "closed"):
            raise PermissionError(13, "Permission denied")  # to the owner of all files nothing is denied
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    (found,), unread = surveyed(tmp_path)
    assert found.spec == other.spec
    assert unread == ["closed cannot be listed (Permission denied): the results below it are left out."]


def test_a_finished_run_that_was_tested_stays_one_when_a_search_asks_for_it(tmp_path: Path, record: Record) -> None:
    run = published(tmp_path / record.spec.folder, record)
    before = (run.path / "spec.json").read_bytes()
    run.write_spec(dataclasses.replace(record.spec, trial=True))
    assert (run.path / "spec.json").read_bytes() == before


def test_a_trial_is_fresh_as_a_trial_and_stale_as_a_run(tmp_path: Path, record: Record) -> None:
    trial = dataclasses.replace(record.spec, trial=True)
    run = published(tmp_path / trial.folder, dataclasses.replace(record, spec=trial))
    (found,), _ = surveyed(tmp_path)
    assert (found.state, found.spec.trial, found.spec.id) == ("fresh", True, record.spec.id)
    run.write_spec(record.spec)
    (found,), _ = surveyed(tmp_path)
    assert found.state == "stale"
    assert found.why == "it was a trial of a search, which is not evaluated on the test split"
