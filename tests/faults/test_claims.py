"""Processes that want one run, on two hosts, or one of them asleep for longer than its lease."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.files.process import is_stopped
from mtbench.store.run.attempts import DONE, LOST, read_attempts
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import SILENCE
from tests.builders.machines import on_host
from tests.cli.commands import MTBENCH, start
from tests.waits import wait_until


def planned(folder: Path, epochs: int) -> RunFolder:
    run = RunFolder(folder)
    settings = {"epochs": str(epochs), "schedule": "constant"}
    run.write_spec(plan(Request(methods=["uniform"], datasets=["toy-all"], settings=settings, seeds=[0]))[0])
    return run


def test_a_process_that_slept_for_longer_than_its_lease_finds_its_run_done_by_another(tmp_path: Path) -> None:
    run = planned(tmp_path / "a", 100)
    process = start("exec", str(run.path), "--data-root", str(tmp_path), "--device", "cpu")
    wait_until(lambda: run.has_checkpoint or process.poll() is not None)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(process.pid))
    long_ago = time.time() - SILENCE - 1
    os.utime(run.path / "claim.1", (long_ago, long_ago))
    shutil.copytree(run.path, tmp_path / "b", ignore=shutil.ignore_patterns("claim.*"))
    for each in (run, RunFolder(tmp_path / "b")):
        execute(each, each.spec(), tmp_path, "cpu")
    process.send_signal(signal.SIGCONT)
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 2
    assert errors.startswith(f"Error: another process has the run in {run.path}.")
    assert sorted(os.listdir(run.path)) == sorted(os.listdir(tmp_path / "b"))
    assert [attempt.reason for attempt in read_attempts(run.path)] == [LOST, DONE]
    records = [RunFolder(folder).record() for folder in (run.path, tmp_path / "b")]
    assert records[0] is not None
    assert records[1] is not None
    assert records[0].results == records[1].results
    assert records[0].files == records[1].files


def test_two_hosts_share_a_grid_and_each_run_is_trained_by_one_of_them(tmp_path: Path) -> None:
    grid = ("run", "--methods", "uniform,moo", "--dataset", "toy-all", "--seeds", "2", "--epochs", "9", "--jobs", "1")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MTBENCH_DATA": str(tmp_path),
    }
    hosts = [
        subprocess.Popen(
            on_host(name, [sys.executable, "-c", MTBENCH, *grid]),
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("alpha", "beta")
    ]
    said = [host.communicate(timeout=300) for host in hosts]
    assert [(host.returncode, errors) for host, (_, errors) in zip(hosts, said, strict=True)] == [(0, ""), (0, "")]
    trained = [{line.partition(":")[0] for line in out.splitlines() if ": epoch" in line} for out, _ in said]
    assert len(trained[0] | trained[1]) == 4
    assert not trained[0] & trained[1]
    folders = [path.parent for path in tmp_path.rglob("record.json")]
    assert len(folders) == 4
    for folder in folders:
        assert set(os.listdir(folder)) == {
            *("attempts.jsonl", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json", "spec.json")
        }
        (attempt,) = read_attempts(folder)
        assert (attempt.reason, attempt.host) in ((DONE, "alpha"), (DONE, "beta"))
    other = {"alpha": "beta", "beta": "alpha"}
    waits = [line for out, _ in said for line in out.splitlines() if line.startswith("waiting")]
    assert waits, "they did not meet"
    for name, (out, _) in zip(other, said, strict=True):
        text = " ".join(out.split())
        assert "waiting" not in text or f" on {other[name]} has it since " in text
