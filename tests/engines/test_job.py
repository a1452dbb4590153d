"""One run, from its spec to its record or to what stands in its place."""

import hashlib
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.contract import Classification
from mtbench.engines.forecast import measure
from mtbench.engines.job import execute
from mtbench.errors import Busy, DataError, NegativeLoss, NonFiniteLoss, RunError, StoreError
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.status import status_of
from mtbench.train.progress import Progress
from tests.cli.commands import start
from tests.waits import wait_until


def planned(folder: Path, method: str, **settings: str) -> RunFolder:
    run = RunFolder(folder)
    run.write_spec(plan(Request(methods=[method], datasets=["toy-all"], settings=settings, seeds=[0]))[0])
    return run


def done(run: RunFolder, root: Path) -> list[Progress]:
    seen: list[Progress] = []
    execute(run, run.spec(), root, "cpu", seen.append)
    return seen


def test_a_run_becomes_a_fresh_record_and_leaves_nothing_else(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "td")
    seen = done(run, tmp_path)
    assert seen[-1].step == seen[-1].steps
    found = status_of(run.path, run.spec(), tmp_path)
    assert found.state == "fresh"
    assert found.record is not None
    assert sorted(run.predictions(found.record)) == ["lower", "upper"]
    assert sum(value.numel() for value in run.model(found.record).values()) > 1000
    expected = ["attempts.jsonl", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json", "spec.json"]
    assert sorted(os.listdir(run.path)) == expected
    points = [json.loads(line) for line in (run.path / "curve.jsonl").read_text().splitlines()]
    assert [point["epoch"] for point in points] == [1, 2, 3]


def test_a_run_with_a_record_is_not_run_again(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")
    done(run, tmp_path)
    before = (run.path / "record.json").stat().st_mtime_ns
    (run.path / "checkpoint.pt").write_bytes(b"left by a process that was killed after it had published")
    assert done(run, tmp_path) == []
    assert (run.path / "record.json").stat().st_mtime_ns == before
    assert not run.has_checkpoint


def test_a_run_that_raises_leaves_its_traceback(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "toy-crash")
    with pytest.raises(RuntimeError, match="the third step is one too many"):
        done(run, tmp_path)
    failure = run.failure()
    assert failure is not None
    assert (failure.kind, failure.attempt) == ("exception", 1)
    assert failure.message == "RuntimeError: the third step is one too many"
    assert 'raise RuntimeError("the third step is one too many")' in failure.traceback
    assert not run.is_leased
    assert not run.has_record


def test_a_loss_that_is_not_finite_is_a_failure_of_its_own_kind(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "toy-nan")
    with pytest.raises(NonFiniteLoss):
        done(run, tmp_path)
    failure = run.failure()
    assert failure is not None
    assert failure.kind == "nan"
    assert "'lower'" in failure.message


def test_a_loss_that_is_negative_is_a_failure_that_does_not_come_right_by_trying_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classification, "losses", lambda _, output, target: output.sum(1) - 10 + 0 * target)
    run = planned(tmp_path / "a", "branches+scale-invariant")
    with pytest.raises(NegativeLoss):
        done(run, tmp_path)
    failure = run.failure()
    assert failure is not None
    assert (failure.kind, failure.traceback, failure.is_retryable) == ("negative", "", False)
    assert "is not defined for negative losses" in failure.message


def test_a_run_that_succeeds_forgets_its_failures(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")
    run.write_failure(kind="killed", message="before")
    done(run, tmp_path)
    assert run.failure() is None


def test_a_run_of_another_process_is_left_to_it(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")
    with Lease(run.path), pytest.raises(Busy):
        done(run, tmp_path)
    assert run.failure() is None


def test_a_run_that_is_taken_over_midway_writes_nothing_more(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")

    def take_over(progress: Progress) -> None:
        if progress.step >= 1:
            (run.path / "claim.2").write_text("")

    with pytest.raises(Busy):
        execute(run, run.spec(), tmp_path, "cpu", take_over)
    assert run.failure() is None
    assert not run.has_checkpoint


def test_a_process_whose_run_was_done_by_another_leaves_no_file_there(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")
    done(run, tmp_path)
    record = (run.path / "record.json").read_text()
    (run.path / "record.json").unlink()

    def sleep_too_long(progress: Progress) -> None:  # noqa: ARG001
        (run.path / "claim.1").unlink(missing_ok=True)
        (run.path / "checkpoint.pt").write_text("written in the moment after the last look at the lease")
        (run.path / "record.json").write_text(record)

    with pytest.raises(Busy):
        execute(run, run.spec(), tmp_path, "cpu", sleep_too_long)
    assert not run.has_checkpoint


def test_sigterm_ends_the_command_exec_and_leaves_the_checkpoint_and_no_lease(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single", epochs="5000", schedule="constant")
    process = start("exec", str(run.path / "spec.json"), "--device", "cpu")
    wait_until(lambda: run.has_checkpoint or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=300)[1]
    assert errors == "the run was stopped. The same command resumes it from its last checkpoint.\n"
    assert process.returncode == 130
    assert run.has_checkpoint
    assert not list(run.path.glob("claim.*"))
    assert not list(run.path.glob(".*"))
    assert run.failure() is None


def test_a_run_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    undisturbed, resumed = planned(tmp_path / "a", "moo"), planned(tmp_path / "b", "moo")
    done(undisturbed, tmp_path)

    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Enough

    with pytest.raises(Enough):
        execute(resumed, resumed.spec(), tmp_path, "cpu", stop)
    assert resumed.has_checkpoint
    seen = done(resumed, tmp_path)
    assert seen[0].step > 6  # the first epoch was not done again
    records = [run.record() for run in (undisturbed, resumed)]
    assert records[0] is not None
    assert records[1] is not None
    assert records[0].results == records[1].results
    assert records[0].curve == records[1].curve
    assert records[0].files == records[1].files


def test_a_disk_that_is_full_is_told_as_such_and_the_same_command_goes_on_when_it_is_not(tmp_path: Path) -> None:
    """A process that may write no file of more than 100 kB stands for a full disk."""
    run = planned(tmp_path / "a", "uniform", epochs="2")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StoreError, match=r"checkpoint\.pt cannot be written: File too large"):
            done(run, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert run.failure() is None
    assert not run.is_leased
    done(run, tmp_path)
    assert run.has_record


def test_a_run_that_makes_no_progress_in_its_job_is_refused_there_and_resumed_in_another(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", "single")
    hour = "2026-11-30T10:00:00+00:00"
    lines: list[dict[str, object]] = []
    for number in (1, 2, 3):
        lines.append(
            {"event": "began", "number": number, "host": "n1", "pid": 1, "job": "7_0", "time": hour, "epoch": 0}
        )
        reason = "lost" if number == 2 else "stopped"
        lines.append({"event": "ended", "number": number, "time": hour, "reason": reason, "epoch": 0, "saved": None})
    (run.path / "attempts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RunError, match=r"job 7_0 was started 3 times.*more time"):
        execute(run, run.spec(), tmp_path, "cpu", job="7_0")
    assert run.failure() is None
    execute(run, run.spec(), tmp_path, "cpu", job="8_0")
    assert run.has_record


def test_a_file_among_the_options_is_found_by_another_process_and_no_path_is_in_the_record(tmp_path: Path) -> None:
    file = tmp_path / "x@y" / "a+b=c d.txt"
    file.parent.mkdir()
    file.write_text("0.5")
    run = planned(tmp_path / "a", f"single@toy-shifted:shift={file}", epochs="1")
    assert "x@y" not in (run.path / "spec.json").read_text()
    program = "import sys; from mtbench.cli.app import main; sys.exit(main())"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    arguments = ["exec", str(run.path / "spec.json"), "--data-root", str(tmp_path)]
    subprocess.run([sys.executable, "-c", program, *arguments], env=environment, check=True, cwd="/", timeout=300)
    record = run.record()
    assert record is not None
    assert record.spec.files == {}
    assert record.spec.id == run.spec().id
    for path in run.path.glob("*"):
        assert (b"x@y" in path.read_bytes()) == (path.name == "files.json")
    other = planned(tmp_path / "b", "single@toy-shifted", epochs="1")
    done(other, tmp_path)
    without = other.record()
    assert without is not None
    assert without.results != record.results


def test_a_file_that_is_damaged_between_plan_and_run_is_no_lasting_failure(tmp_path: Path) -> None:
    file = tmp_path / "shift.txt"
    file.write_text("0.5")
    run = planned(tmp_path / "a", f"single@toy-shifted:shift={file}", epochs="1")
    file.write_text("0.6")
    with pytest.raises(DataError, match=r"^option 'shift' of backbone 'toy-shifted' .* has changed: its sha256 is "):
        done(run, tmp_path)
    assert run.failure() is None
    assert not run.is_leased
    assert status_of(run.path, run.spec(), tmp_path).state == "missing"
    moved = tmp_path / "elsewhere.txt"
    moved.write_text("0.5")
    planned(tmp_path / "a", f"single@toy-shifted:shift={moved}", epochs="1")
    done(run, tmp_path)
    assert status_of(run.path, run.spec(), tmp_path).state == "fresh"


def test_places_of_files_that_cannot_be_read_are_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "shift.txt"
    file.write_text("0.5")
    method = f"single@toy-shifted:shift={file}"
    run = planned(tmp_path / "a", method, epochs="1")
    (run.path / "files.json").write_text("{")
    with pytest.raises(DataError, match="and no path to it is known"):
        done(run, tmp_path)
    planned(tmp_path / "a", method, epochs="1")
    assert run.spec().files == {hashlib.sha256(b"0.5").hexdigest(): str(file)}


def test_the_time_of_a_run_with_a_file_can_be_measured(tmp_path: Path) -> None:
    file = tmp_path / "shift.txt"
    file.write_text("0.5")
    spec = planned(tmp_path / "a", f"single@toy-shifted:shift={file}", epochs="1").spec()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    measure([spec.to_json()], str(tmp_path), "cpu", sender)
    assert receiver.poll(300)
    assert receiver.recv().training > 0
