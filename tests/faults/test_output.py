"""Commands that train do so wherever their standard output goes."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.plan.grid import Request, plan
from tests.cli.commands import MTBENCH

NOTE = "Standard output cannot be written ({}): the work goes on.\n"
TOY = ("--dataset", "toy-all", "--epochs", "1", "--jobs", "1")


@pytest.fixture
def terminal_that_is_gone() -> int:
    leader, follower = pty.openpty()
    os.close(leader)
    return follower


def ended(place: Path, stdout: int | None, *arguments: str) -> tuple[int, str]:
    """Return the exit code of a command with this standard output, and what it writes to standard error.

    Without a standard output it has no standard input either.
    """
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MTBENCH_DATA": str(place),
    }
    closed = "<&- >&-" if stdout is None else ""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", MTBENCH, *arguments]
    with subprocess.Popen(
        command, cwd=place, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True
    ) as process:
        if stdout is not None:
            os.close(stdout)
        errors = process.communicate(timeout=300)[1]
    return process.returncode, errors


def records(place: Path) -> int:
    return len(list(place.rglob("record.json")))


def test_a_full_disk_behind_the_output_of_a_grid_leaves_its_runs_and_its_exit_code(tmp_path: Path) -> None:
    disk = os.open("/dev/full", os.O_WRONLY)
    grid = ("run", "--methods", "single,uniform", "--seeds", "1", *TOY)
    assert ended(tmp_path, disk, *grid) == (0, NOTE.format("No space left on device"))
    assert records(tmp_path) == 2


def test_a_search_goes_on_without_standard_input_and_output(tmp_path: Path) -> None:
    search = ("search", "--methods", "td", "--trials", "2", "--retrain", "1", *TOY)
    assert ended(tmp_path, None, *search) == (0, "")
    assert records(tmp_path) >= 3


def test_a_single_run_outlives_its_terminal(tmp_path: Path, terminal_that_is_gone: int) -> None:
    settings = {"epochs": "2", "schedule": "constant"}
    (spec,) = plan(Request(methods=["single"], datasets=["toy-all"], settings=settings, seeds=[0]))
    (tmp_path / "mine.json").write_text(spec.to_json())
    done = ended(tmp_path, terminal_that_is_gone, "exec", "mine.json", "--device", "cpu")
    assert done == (0, NOTE.format("Input/output error"))
    assert records(tmp_path) == 1


def test_data_are_prepared_whatever_becomes_of_the_lines_about_it(tmp_path: Path) -> None:
    disk = os.open("/dev/full", os.O_WRONLY)
    assert ended(tmp_path, disk, "data", "prepare", "toy2", "toy-all") == (0, NOTE.format("No space left on device"))
