"""Files that a run leaves behind, and those that it is resumed from."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from mtbench.errors import Busy, DamagedRecord, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.record import CurvePoint, Record
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased, tidy_up

STATE = {"epoch": 2, "network": {"weight": torch.arange(3.0)}, "curve": [{"epoch": 1, "loss": float("nan")}]}
MODEL = {"weight": torch.arange(6.0).view(2, 3), "steps": torch.tensor(4)}
PREDICTIONS = {"upper": np.arange(5, dtype=np.uint8)}


def test_a_spec_is_read_as_it_was_written_and_not_written_twice(tmp_path: Path, spec: RunSpec) -> None:
    run = RunFolder(tmp_path / "a" / "b")
    run.write_spec(spec)
    assert run.spec() == spec
    before = (run.path / "spec.json").stat().st_mtime_ns
    run.write_spec(spec)
    assert (run.path / "spec.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("text", ["", "{}", '{"dataset": 3}'])
def test_a_spec_that_is_none_is_told_with_its_file_and_the_mend(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(StoreError, match=rf"{tmp_path}/spec.json is not the spec of a run .* delete its folder"):
        RunFolder(tmp_path).spec()


def test_a_run_goes_on_from_the_state_it_kept(tmp_path: Path, curve: tuple[CurvePoint, ...]) -> None:
    with leased(RunFolder(tmp_path)) as run:
        assert run.restore() is None
        run.keep(STATE, curve[:2])
    with leased(RunFolder(tmp_path)) as run:
        state = run.restore()
    assert state is not None
    assert state["epoch"] == 2
    assert torch.equal(state["network"]["weight"], torch.arange(3.0))


def test_keeping_rewrites_the_curve_so_that_torn_and_later_lines_vanish(
    tmp_path: Path, curve: tuple[CurvePoint, ...]
) -> None:
    (tmp_path / "curve.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3, "st')
    with leased(RunFolder(tmp_path)) as run:
        run.keep(STATE, curve[:1])
    lines = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1]


def test_a_published_run_is_read_back_whole(tmp_path: Path, record: Record) -> None:
    with leased(RunFolder(tmp_path)) as run:
        run.keep(STATE, ())
        run.write_failure(kind="killed", message="its process died")
        written = run.publish(record, MODEL, PREDICTIONS)
    run_again = RunFolder(tmp_path)
    assert run_again.record() == written
    assert dataclasses.replace(written, files={}, sizes={}) == record
    assert written.sizes == {name: (tmp_path / name).stat().st_size for name in written.files}
    assert torch.equal(run_again.model(written)["weight"], MODEL["weight"])
    assert np.array_equal(run_again.predictions(written)["upper"], PREDICTIONS["upper"])
    expected = ["curve.jsonl", "model.safetensors", "predictions.npz", "record.json"]
    assert sorted(os.listdir(tmp_path)) == expected
    assert len((tmp_path / "curve.jsonl").read_text().splitlines()) == len(record.curve)


def test_the_same_results_have_the_same_checksums(tmp_path: Path, record: Record) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with leased(RunFolder(tmp_path / name)) as run:
            files.append(run.publish(record, MODEL, PREDICTIONS).files)
    assert files[0] == files[1]


def test_a_run_without_predictions_is_published_too(tmp_path: Path, record: Record) -> None:
    with leased(RunFolder(tmp_path)) as run:
        written = run.publish(record, MODEL, {})
        assert run.predictions(written) == {}


def test_nothing_is_written_after_the_run_was_taken_over(tmp_path: Path, record: Record) -> None:
    with leased(RunFolder(tmp_path)) as run:
        (tmp_path / "claim.2").write_text("")
        with pytest.raises(Busy):
            run.keep(STATE, ())
        with pytest.raises(Busy):
            run.publish(record, MODEL, PREDICTIONS)
        with pytest.raises(Busy):
            run.write_failure(kind="exception", message="no fault of the run")
    assert os.listdir(tmp_path) == ["claim.2"]


def test_what_was_being_written_when_the_run_was_taken_over_replaces_nothing(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is stopped between its check of the lease and the end of a write, until long after."""
    sync = os.fsync

    def sleep_too_long(descriptor: int) -> None:
        (tmp_path / "claim.2").write_text("")
        sync(descriptor)

    with leased(RunFolder(tmp_path)) as run:
        monkeypatch.setattr(os, "fsync", sleep_too_long)
        for write in (lambda: run.keep(STATE, ()), lambda: run.publish(record, MODEL, PREDICTIONS)):
            with pytest.raises(Busy):
                write()
            assert sorted(os.listdir(tmp_path)) == ["claim.1", "claim.2"]
            (tmp_path / "claim.2").unlink()


def test_weights_that_were_changed_or_removed_are_told(tmp_path: Path, record: Record) -> None:
    with leased(RunFolder(tmp_path)) as run:
        written = run.publish(record, MODEL, PREDICTIONS)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedRecord, match=r"model.safetensors has the checksum"):
        RunFolder(tmp_path).model(written)
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        RunFolder(tmp_path).model(written)


def test_failures_are_counted_until_there_is_a_record(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.failure() is None
    run.write_failure(kind="killed", message="killed", signal=9)
    failure = run.write_failure(kind="killed", message="killed", signal=9)
    assert run.failure() == failure
    assert failure.attempt == 2
    assert failure.is_retryable
    assert not run.write_failure(kind="killed", message="killed").is_retryable


def test_a_run_that_ran_out_of_memory_is_tried_again_as_often_as_one_that_was_killed(tmp_path: Path) -> None:
    failures = [RunFolder(tmp_path).write_failure(kind="memory", message="no memory") for _ in range(3)]
    assert [failure.is_retryable for failure in failures] == [True, True, False]


@pytest.mark.parametrize("kind", ["nan", "exception"])
def test_what_would_only_fail_again_is_not_tried_again(tmp_path: Path, kind: str) -> None:
    assert not RunFolder(tmp_path).write_failure(kind=kind, message="no").is_retryable


def test_a_failure_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "failure.json").write_text("{")
    failure = RunFolder(tmp_path).failure()
    assert failure is not None
    assert failure.message == f"{tmp_path}/failure.json cannot be read"


def test_superseded_results_are_kept_aside(tmp_path: Path, spec: RunSpec, record: Record) -> None:
    run = RunFolder(tmp_path)
    run.write_spec(spec)
    for number in (1, 2):
        with leased(run) as held:
            held.publish(record, MODEL, PREDICTIONS)
            held.supersede()
        assert run.record() is None
        aside = RunFolder(tmp_path / f"superseded-{number}")
        kept = aside.record()
        assert kept is not None
        assert torch.equal(aside.model(kept)["weight"], MODEL["weight"])
    assert sorted(os.listdir(tmp_path)) == ["spec.json", "superseded-1", "superseded-2"]


def test_an_owner_sweeps_away_what_a_crash_left_half_written(tmp_path: Path) -> None:
    (tmp_path / f".checkpoint.pt.1-{'0' * 32}.tmp").write_bytes(b"half")
    with leased(RunFolder(tmp_path)):
        assert os.listdir(tmp_path) == ["claim.1"]


def test_what_a_process_left_that_died_after_publishing_is_tidied_up(tmp_path: Path, record: Record) -> None:
    run = RunFolder(tmp_path)
    with leased(run) as held:
        held.publish(record, MODEL, PREDICTIONS)
    finished = sorted(os.listdir(tmp_path))
    for name in ("checkpoint.pt", "log.txt"):
        (tmp_path / name).write_text("")
    dead = {"host": "elsewhere", "pid": 1, "started": "1", "token": "x"}
    (tmp_path / "claim.4").write_text(json.dumps(dead))
    tidy_up(run)
    assert (tmp_path / "claim.4").exists()  # its owner may live, and tidies up itself
    os.utime(tmp_path / "claim.4", (0, 0))
    tidy_up(run)
    assert sorted(os.listdir(tmp_path)) == finished
