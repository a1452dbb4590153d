"""Runs that are killed at any instant and resumed give the same bits as undisturbed runs.

Each test kills workers, the parent or both with SIGKILL at instants drawn from a fixed seed, gives the same command
again until it is through, and compares every final metric and the checksums of weights and predictions.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.kills import finished_runs, owners
from tests.waits import wait_until

MTBENCH = "import sys; from mtbench.cli.app import main; sys.exit(main())"
GRID = ("--methods", "single,uniform,moo,chmod,td", "--dataset", "mmnist2", "--set", "images=768", "--epochs", "3")
KILLS = 5


def start(root: Path, results: Path, jobs: int, *grid: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MTBENCH, "run", *grid, "--seeds", "1", "--device", "cpu", "--quiet"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MTBENCH_DATA": str(root),
    }
    return subprocess.Popen(
        [*command, "--jobs", str(jobs), "--results", str(results)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    errors = process.communicate(timeout=1200)[1]
    assert process.returncode == 0, errors


def wait_for_work(process: subprocess.Popen[str], results: Path) -> bool:
    """Wait until a worker has a run; False if the command is through before."""
    wait_until(lambda: list(owners(results)) or process.poll() is not None)
    return process.poll() is None


def kill_worker(process: subprocess.Popen[str], results: Path, draw: random.Random) -> None:  # noqa: ARG001
    """Kill one worker, of a run that has been killed less than twice: the third time would be the last."""
    for folder, pid in draw.sample(there := sorted(owners(results)), len(there)):
        failure = folder / "failure.json"
        if not failure.exists() or json.loads(failure.read_text())["attempt"] < 2:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return


def kill_parent(process: subprocess.Popen[str], results: Path, draw: random.Random) -> None:  # noqa: ARG001
    """Kill the command itself; its workers end by themselves."""
    process.kill()
    process.communicate(timeout=1200)
    wait_until(lambda: not list(owners(results)))


def kill_everything(process: subprocess.Popen[str], results: Path, draw: random.Random) -> None:  # noqa: ARG001
    """Kill the command, its fork server and its workers at once, as a reset would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=1200)
    wait_until(lambda: not list(owners(results)))


def stop_everything(process: subprocess.Popen[str], results: Path, draw: random.Random) -> None:  # noqa: ARG001
    """Ask the command, its fork server and its workers to stop, all at once, as a scheduler does."""
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=1200)
    assert not list(owners(results))
    assert not list(results.rglob("failure.json"))


VICTIMS = {
    "worker": kill_worker,
    "parent": kill_parent,
    "everything": kill_everything,
    "stopped": stop_everything,
}


def disturbed(victim: str, root: Path, results: Path, jobs: int, *grid: str, kills: int, within: float) -> None:
    """Do the grid, killing so many times, each time within so many seconds of work."""
    draw = random.Random(f"{victim}{jobs}")
    process = start(root, results, jobs, *grid)
    for _ in range(kills):
        if not wait_for_work(process, results):
            break
        time.sleep(draw.uniform(0, within))
        VICTIMS[victim](process, results, draw)
        if process.poll() is not None:
            process = start(root, results, jobs, *grid)
    finish(process)


@pytest.fixture(scope="module")
def undisturbed(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Any, Any, Any]]:
    results = tmp_path_factory.mktemp("undisturbed")
    finish(start(data_root, results, 2, *GRID, "--set", "batch=64"))
    return finished_runs(results)


@pytest.mark.slow
@pytest.mark.parametrize(("victim", "jobs"), [("worker", 2), ("parent", 1), ("everything", 2), ("stopped", 1)])
def test_a_grid_that_is_killed_again_and_again_gives_the_bits_of_one_that_is_not(
    victim: str, jobs: int, data_root: Path, tmp_path: Path, undisturbed: Mapping[str, tuple[Any, Any, Any]]
) -> None:
    disturbed(victim, data_root, tmp_path, jobs, *GRID, "--set", "batch=64", kills=KILLS, within=3)
    assert len(undisturbed) == 5
    assert finished_runs(tmp_path) == undisturbed


@pytest.mark.slow
def test_a_toy_run_whose_worker_is_killed_gives_the_same_bits(tmp_path: Path) -> None:
    toys = ("--methods", "moo", "--dataset", "toy-all", "--epochs", "30", "--set", "batch=8")
    finish(start(tmp_path, tmp_path / "a", 1, *toys))
    disturbed("worker", tmp_path, tmp_path / "b", 1, *toys, kills=2, within=0.5)
    assert finished_runs(tmp_path / "a")
    assert finished_runs(tmp_path / "b") == finished_runs(tmp_path / "a")
