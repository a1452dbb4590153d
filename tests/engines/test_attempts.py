"""The log of attempts of real processes that are killed, stopped, that fail or find the run done."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.run.attempting import known_attempts
from mtbench.store.run.attempts import DONE, LOST, STOPPED, fruitless, lost, read_attempts
from mtbench.store.run.folder import RunFolder
from mtbench.train.progress import Progress
from tests.cli.commands import start
from tests.waits import wait_until

EPOCHS = 100


def planned(folder: Path, **settings: str) -> RunFolder:
    run = RunFolder(folder)
    settings = {"epochs": str(EPOCHS), "schedule": "constant"} | settings
    run.write_spec(plan(Request(methods=["uniform"], datasets=["toy-all"], settings=settings, seeds=[0]))[0])
    return run


def train(run: RunFolder, job: str = "") -> None:
    execute(run, run.spec(), run.path, "cpu", job=job)


def ended_by(run: RunFolder, number: signal.Signals, *words: str) -> tuple[datetime, datetime]:
    """Train a run in another process, send a signal after an epoch, and return the times before and after that."""
    curve, log = run.path / "curve.jsonl", run.path / "attempts.jsonl"
    for file in (curve, log):
        file.touch()
    process = start("exec", str(run.path), "--data-root", str(run.path), "--device", "cpu", *words)
    wait_until(lambda: log.stat().st_mtime < curve.stat().st_mtime or process.poll() is not None)
    before = datetime.now(UTC)
    process.send_signal(number)
    process.communicate(timeout=300)
    assert not run.has_record
    return before, datetime.now(UTC)


def test_a_killed_process_is_a_lost_attempt_up_to_its_last_sign_of_life_and_the_next_one_resumes_from_its_checkpoint(
    tmp_path: Path,
) -> None:
    run = planned(tmp_path / "a")
    before, after = ended_by(run, signal.SIGKILL, "--job", "slurm 12_3")
    assert [attempt.ended for attempt in read_attempts(run.path)] == [None]
    saved = datetime.fromtimestamp((run.path / "checkpoint.pt").stat().st_mtime, UTC)
    (seen,) = known_attempts(run.path)
    train(run)
    first, second = read_attempts(run.path)
    millisecond = timedelta(milliseconds=1)
    assert (first.reason, first.job, first.since_epoch) == (LOST, "slurm 12_3", 0)
    assert first.saved is not None
    assert first.ended is not None
    assert abs(first.saved - saved) <= millisecond
    assert first.started < first.saved <= first.ended <= after
    assert first.ended >= before - timedelta(seconds=10)  # the time between two heartbeats
    assert first.lost_seconds == lost([first]) == (first.ended - first.saved).total_seconds()
    assert seen.ended is not None
    assert abs(seen.ended - first.ended) <= millisecond
    assert (second.reason, second.job, second.epoch, second.pid) == (DONE, "", EPOCHS, os.getpid())
    assert second.since_epoch == first.epoch
    assert 0 < (first.epoch or 0) < EPOCHS
    assert second.started >= first.ended
    train(run)
    assert len(read_attempts(run.path)) == 2  # it has a record: nobody trained it again


def test_stopped_jobs_are_fruitful_as_long_as_they_write_checkpoints(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", epochs="5000")  # never done before the signal
    ended_by(run, signal.SIGTERM, "--job", "slurm 12_3")
    (first,) = read_attempts(run.path)
    assert (first.reason, first.job, fruitless([first])) == (STOPPED, "slurm 12_3", 0)
    assert first.epoch is not None
    assert first.epoch > 0
    ended_by(run, signal.SIGTERM, "--job", "slurm 12_3", "--checkpoint-every", "600")
    found = read_attempts(run.path)
    assert [(attempt.reason, attempt.since_epoch, attempt.epoch) for attempt in found] == [
        (STOPPED, 0, first.epoch),
        (STOPPED, first.epoch, first.epoch),
    ]
    assert fruitless(found) == 1
    assert found[1].lost_seconds == found[1].seconds


def test_a_run_that_fails_is_a_failed_attempt_with_its_reason_in_one_line(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", epochs="3")

    def fail(progress: Progress) -> None:
        if progress.epoch == 2:
            raise RuntimeError("out of\npaper")

    with pytest.raises(RuntimeError, match="paper"):
        execute(run, run.spec(), run.path, "cpu", fail)
    train(run)
    assert [attempt.reason for attempt in read_attempts(run.path)] == ["failed: RuntimeError: out of paper", DONE]
    assert [attempt.since_epoch for attempt in read_attempts(run.path)] == [0, 1]


def test_a_run_is_trained_to_its_end_where_the_log_cannot_be_written(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", epochs="1")
    (run.path / "attempts.jsonl").mkdir()
    said: list[str] = []
    execute(run, run.spec(), run.path, "cpu", say=said.append)
    assert said == [
        f"The log of attempts {run.path / 'attempts.jsonl'} cannot be written: Is a directory. The run goes on."
    ]
    record = run.record()
    assert record is not None
    assert record.notes == ()
