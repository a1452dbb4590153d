"""The log of attempts at a run: what is lost can be counted, whatever befell the process or the file."""

import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtbench.store.record import Record
from mtbench.store.run.attempting import AttemptLog, known_attempts
from mtbench.store.run.attempts import DONE, FILE, LARGEST, LOST, STOPPED, Attempt, fruitless, lost, read_attempts
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.run.leased import leased

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def nothing(text: str) -> None:
    raise AssertionError(text)


def begun(folder: Path, number: int = 1, **other: Any) -> None:
    """Add the begin of an attempt of another host at noon to a log."""
    line = {"event": "began", "number": number, "host": "alpha", "pid": 7, "job": "", "time": NOON.isoformat()}
    with (folder / FILE).open("a") as file:
        file.write(json.dumps(line | {"epoch": 0} | other) + "\n")
    touch(folder / FILE, 0)


def touch(path: Path, seconds: float) -> None:
    """Set the time of a file to so many seconds after noon."""
    path.touch()
    os.utime(path, (NOON.timestamp() + seconds,) * 2)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def dead(folder: Path, seconds: float) -> None:
    """Leave the lease of a process of another host, with a last heartbeat so many seconds after noon."""
    (folder / "claim.3").write_text(json.dumps({"host": "alpha 1 2", "pid": 7, "started": "1", "token": "x"}))
    touch(folder / "claim.3", seconds)


def one(number: int, start: float, end: float, reason: str = LOST, **other: Any) -> Attempt:
    """An attempt from and to so many seconds after noon."""
    given: dict[str, Any] = {"since_epoch": number - 1, "job": "slurm 12"} | other
    return Attempt(number=number, host="alpha", pid=7, started=after(start), ended=after(end), reason=reason, **given)


def test_an_attempt_that_is_done_has_its_process_its_epochs_and_nothing_lost(tmp_path: Path, record: Record) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("slurm 12_3", nothing)
        assert run.restore() is None
        (open_one,) = read_attempts(tmp_path)
        run.keep({"epoch": 2, "weight": torch.ones(1)}, ())
        run.publish(record, {"weight": torch.ones(1)}, {"upper": np.arange(5)})
        run.attempts.end(DONE)
    assert (open_one.since_epoch, open_one.ended, open_one.reason, open_one.lost_seconds) == (0, None, "", 0)
    (found,) = read_attempts(tmp_path)
    assert (found.number, found.pid, found.job, found.since_epoch) == (1, os.getpid(), "slurm 12_3", 0)
    assert found.host == os.uname().nodename.partition(".")[0]
    assert found.ended is not None
    assert before < found.started <= found.ended <= datetime.now(UTC) + timedelta(seconds=1)
    assert (found.reason, found.epoch, found.lost_seconds) == (DONE, record.curve[-1].epoch, 0)


def test_a_stopped_attempt_has_lost_the_time_since_its_last_checkpoint_and_the_next_resumes_there(
    tmp_path: Path,
) -> None:
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        run.restore()
        time.sleep(0.02)  # a file system knows times in steps of some milliseconds
        run.keep({"epoch": 2, "weight": torch.ones(1)}, ())
        saved = datetime.fromtimestamp((tmp_path / "checkpoint.pt").stat().st_mtime, UTC)
        run.attempts.end(STOPPED)
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        run.restore()
        run.attempts.end(STOPPED)
    first, second = read_attempts(tmp_path)
    assert (first.number, first.since_epoch, first.epoch) == (1, 0, 2)
    assert first.saved is not None
    assert first.ended is not None
    assert abs(first.saved - saved) <= timedelta(milliseconds=1)
    assert first.lost_seconds == (first.ended - first.saved).total_seconds()
    assert (second.number, second.since_epoch, second.epoch, second.saved) == (2, 2, 2, None)
    assert second.lost_seconds == second.seconds
    assert not first.is_fruitless
    assert second.is_fruitless


@pytest.mark.parametrize(
    ("saved", "heartbeat", "ended"),
    [
        (None, 90, 90),  # no checkpoint: everything is lost
        (60, 90, 90),
        (95, 90, 95),  # the process lived when it wrote its last checkpoint
        (-5, 90, 90),  # the checkpoint is of an earlier attempt
        (60, None, 60),  # its lease is gone
        (None, None, 0),
    ],
)
def test_the_next_owner_closes_the_attempt_of_a_dead_process_at_its_last_sign_of_life(
    tmp_path: Path, saved: float | None, heartbeat: float | None, ended: float
) -> None:
    begun(tmp_path)
    if saved is not None:
        touch(tmp_path / "checkpoint.pt", saved)
    if heartbeat is not None:
        dead(tmp_path, heartbeat)
    (seen,) = known_attempts(tmp_path)
    assert read_attempts(tmp_path)[0].ended is None
    with leased(RunFolder(tmp_path)):
        pass
    (found,) = read_attempts(tmp_path)
    assert found == seen
    is_own = saved is not None and saved > 0
    assert (found.reason, found.ended, found.saved) == (LOST, after(ended), after(saved or 0) if is_own else None)
    assert found.lost_seconds == ended - (saved if saved is not None and is_own else 0)
    assert lost([found]) == found.lost_seconds


def test_of_two_dead_leases_the_lower_is_that_of_the_process_that_trained(tmp_path: Path) -> None:
    begun(tmp_path)
    dead(tmp_path, 90)
    (tmp_path / "claim.4").write_bytes((tmp_path / "claim.3").read_bytes())
    touch(tmp_path / "claim.4", 500)  # of a process that died before it had removed the other one
    with leased(RunFolder(tmp_path)):
        pass
    assert read_attempts(tmp_path)[0].ended == after(90)


def test_a_heartbeat_and_a_checkpoint_in_the_future_count_as_now(tmp_path: Path) -> None:
    begun(tmp_path)
    owner = {"host": "alpha 1 2", "pid": 7, "started": "1", "token": "x"}
    (tmp_path / "claim.3").write_text(json.dumps(owner))
    future = time.time() + 1e6
    os.utime(tmp_path / "claim.3", (NOON.timestamp() - 1000,) * 2)
    touch(tmp_path / "checkpoint.pt", 0)
    os.utime(tmp_path / "checkpoint.pt", (future, future))
    with leased(RunFolder(tmp_path)):
        pass
    (found,) = read_attempts(tmp_path)
    assert found.ended is not None
    assert abs(found.ended.timestamp() - time.time()) < 100
    assert found.saved == found.ended
    assert found.lost_seconds == 0


def test_an_attempt_that_began_later_than_it_ended_by_a_clock_that_was_set_back_has_lost_no_negative_time(
    tmp_path: Path,
) -> None:
    begun(tmp_path)
    dead(tmp_path, -3600)
    with leased(RunFolder(tmp_path)):
        pass
    (found,) = read_attempts(tmp_path)
    assert (found.ended, found.seconds, found.lost_seconds) == (after(-3600), 0, 0)


def test_a_process_that_died_between_its_record_and_its_last_line_has_lost_nothing(
    tmp_path: Path, record: Record
) -> None:
    with leased(RunFolder(tmp_path)) as run:
        run.publish(record, {}, {})
    begun(tmp_path)
    dead(tmp_path, 90)
    assert [attempt.reason for attempt in known_attempts(tmp_path)] == [DONE]
    with leased(RunFolder(tmp_path)):
        pass
    (found,) = read_attempts(tmp_path)
    assert (found.reason, found.ended, found.lost_seconds) == (DONE, after(90), 0)


def test_an_owner_that_was_taken_over_adds_no_line(tmp_path: Path) -> None:
    with Lease(tmp_path) as lease:
        log = AttemptLog(tmp_path, lease)
        log.begin("", nothing)
        (tmp_path / "claim.2").write_text("{}")  # of a process that found this one silent
        log.end(DONE)
        (tmp_path / "claim.2").unlink()
    assert [attempt.ended for attempt in read_attempts(tmp_path)] == [None]


def test_the_first_end_of_an_attempt_counts(tmp_path: Path) -> None:
    begun(tmp_path)
    for reason in (LOST, DONE):  # of a process that was asleep between its look at the lease and its line
        end = {"event": "ended", "number": 1, "time": after(9).isoformat(), "reason": reason, "epoch": 1, "saved": None}
        with (tmp_path / FILE).open("a") as file:
            file.write(json.dumps(end) + "\n")
    assert [attempt.reason for attempt in read_attempts(tmp_path)] == [LOST]


def test_of_a_lost_attempt_the_next_one_knows_the_epochs(tmp_path: Path) -> None:
    begun(tmp_path)
    dead(tmp_path, 90)
    touch(tmp_path / "checkpoint.pt", 60)
    with leased(RunFolder(tmp_path)) as run:
        assert read_attempts(tmp_path)[0].epoch is None
        run.attempts.begin("", nothing)
        run.attempts.resumed({"epoch": 5})
    assert [(each.since_epoch, each.epoch) for each in read_attempts(tmp_path)] == [(0, 5), (5, None)]


def test_a_state_that_is_refused_after_it_was_read_counts_as_a_start_from_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").touch()
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        assert read_attempts(tmp_path)[0].since_epoch is None
        for state in ({"epoch": 5}, {"epoch": "many"}, None):
            run.attempts.resumed(state)
    assert read_attempts(tmp_path)[0].since_epoch == 0


def test_lost_seconds_are_those_after_the_last_checkpoints_and_all_before_a_start_from_the_beginning() -> None:
    first, second = one(1, 0, 100, saved=after(70), since_epoch=0), one(2, 200, 260, saved=after(250))
    assert lost([first]) == 30
    assert lost([first, second]) == 30 + 10
    assert lost([first, second, one(3, 300, 400, DONE)]) == 30 + 10
    assert lost([first, second, one(3, 300, 400, DONE, since_epoch=0)]) == 100 + 60
    assert lost([one(1, 0, 50, "failed: the loss is NaN")]) == 50
    assert lost([]) == 0


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([], 0),
        ([one(1, 0, 9)], 1),
        ([one(1, 0, 9, saved=after(5))], 0),
        ([one(1, 0, 9, job="")], 0),
        ([one(1, 0, 9, "failed: no memory")], 0),
        ([one(1, 0, 9), one(2, 10, 19, STOPPED)], 2),
        ([one(1, 0, 9), one(2, 10, 19, STOPPED, saved=after(15)), one(3, 20, 29)], 1),
        ([one(1, 0, 9), one(2, 10, 19, DONE)], 0),
    ],
)
def test_last_attempts_of_jobs_that_came_no_further_are_counted(attempts: Sequence[Attempt], expected: int) -> None:
    assert fruitless(attempts) == expected
    last = Attempt(number=9, host="alpha", pid=7, job="slurm 12", started=after(50), since_epoch=0)
    assert fruitless([*attempts, last]) == expected  # one that has not ended says nothing


@given(cut=st.integers(0, 10_000), garbage=st.binary(max_size=60))
def test_a_log_that_was_cut_or_overwritten_anywhere_keeps_its_whole_lines_and_is_continued(
    cut: int, garbage: bytes
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in (1, 2, 3):
            begun(folder, number)
            with (folder / FILE).open("a") as file:
                end = {"event": "ended", "number": number, "time": after(9).isoformat()}
                file.write(json.dumps(end | {"reason": "stopped", "epoch": 1, "saved": None}) + "\n")
        whole = (folder / FILE).read_bytes()
        kept = whole[: cut % (len(whole) + 1)]
        (folder / FILE).write_bytes(kept + garbage)
        with leased(RunFolder(folder)) as run:
            run.attempts.begin("slurm 12", nothing)
            run.attempts.resumed({"epoch": 4})
            run.attempts.end(STOPPED)
        *before, last = read_attempts(folder)
        assert [each.number for each in before] == [1, 2, 3][: len(before)]
        assert len(before) >= sum(b"began" in line for line in kept.splitlines(keepends=True) if line.endswith(b"\n"))
        assert (last.number, last.job, last.reason) == (len(before) + 1, "slurm 12", STOPPED)
        assert all(each.ended for each in before)
        assert (folder / FILE).read_bytes().startswith(kept + garbage)


def test_a_hundred_torn_lines_hide_none_of_the_others(tmp_path: Path) -> None:
    for number in range(1, 101):
        begun(tmp_path, number)
        with (tmp_path / FILE).open("a") as file:
            file.write('{"event": "ended", "saved": {"a": [["\n')
    assert len(read_attempts(tmp_path)) == 100


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        "{",
        '{"event": "paused"}',
        '{"event": "began", "number": 0}',
        "\ufeff{}",
        "[" * 5000,
        "\\ud800",
    ],
)
def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path, line: str) -> None:
    begun(tmp_path)
    with (tmp_path / FILE).open("a") as file:
        file.write(f"{line}\n")
    begun(tmp_path, 2)
    assert [attempt.number for attempt in read_attempts(tmp_path)] == [1, 2]


def test_the_end_of_an_attempt_whose_begin_was_lost_is_not_that_of_the_next_one(tmp_path: Path) -> None:
    end = {"event": "ended", "number": 1, "time": after(9).isoformat(), "reason": "done", "epoch": 1, "saved": None}
    (tmp_path / FILE).write_text('{"event": "began", "numb\n' + json.dumps(end) + "\n")
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        assert [(each.number, each.reason) for each in read_attempts(tmp_path)] == [(1, "")]
        run.attempts.end(STOPPED)
    assert [(each.number, each.reason) for each in read_attempts(tmp_path)] == [(1, STOPPED)]


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_name("elsewhere").write_text("mine\n")
    path.symlink_to(path.with_name("elsewhere"))


def full(path: Path) -> None:
    path.write_bytes(b"\n" * LARGEST)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (folder, "Is a directory"),
        (pipe, "it is not a regular file"),
        (link, "Too many levels of symbolic links"),
        (full, "it is too large"),
    ],
)
def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path: Path, make: Any, why: str) -> None:
    make(tmp_path / FILE)
    said: list[str] = []
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", said.append)
        assert run.restore() is None
        run.keep({"epoch": 2}, ())
        run.attempts.end(STOPPED)
    assert said == [f"The log of attempts {tmp_path / FILE} cannot be written: {why}. The run goes on."]
    assert read_attempts(tmp_path) == ()
    if make is link:
        assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_a_reason_of_many_lines_is_one_line_of_at_most_300_characters(tmp_path: Path) -> None:
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        run.attempts.end("failed: one\n  two" + " more" * 100)
    (found,) = read_attempts(tmp_path)
    assert found.reason.startswith("failed: one two more more")
    assert found.reason.endswith("...")
    assert len(found.reason) == 300


def test_superseded_results_take_their_log_along_and_the_next_attempt_is_the_first(
    tmp_path: Path, record: Record
) -> None:
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
        run.publish(record, {}, {})
        run.attempts.end(DONE)
    with leased(RunFolder(tmp_path)) as run:
        run.supersede()
    assert read_attempts(tmp_path) == ()
    assert len(read_attempts(tmp_path / "superseded-1")) == 1
    with leased(RunFolder(tmp_path)) as run:
        run.attempts.begin("", nothing)
    assert [attempt.number for attempt in read_attempts(tmp_path)] == [1]
