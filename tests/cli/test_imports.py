"""Commands that only read import no torch, which takes longer than all that they do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder

ASK = """
import json, sys
from mtbench.cli.app import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
large = ("numpy", "torch", "scipy", "matplotlib", "pandas", "optuna")
print(json.dumps([name for name in large if name in sys.modules]))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs and the state of their data, which finishing them remembers."""
    folder = tmp_path_factory.mktemp("results")
    mark_results(folder)
    for spec in plan(Request(methods=["single", "td"], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0])):
        run = RunFolder(folder / spec.folder)
        run.write_spec(spec)
        execute(run, run.spec(), folder, "cpu")
    return folder


def heavy(folder: Path, *arguments: str) -> list[str]:
    """Return the large packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        cwd=folder,
        env={**os.environ, "MTBENCH_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["list"], ["suite", "list"]])
def test_what_reads_no_results_imports_no_large_package(tmp_path: Path, command: list[str]) -> None:
    assert heavy(tmp_path, *command) == []


def test_status_imports_no_large_package(results: Path) -> None:
    assert heavy(results, "status", "--results", str(results)) == []
    (run,) = results.glob("*/td/seed-*")
    assert heavy(results, "status", "--why", str(run)) == []


def test_a_report_imports_no_torch(results: Path, tmp_path: Path) -> None:
    found = heavy(results, "report", "--results", str(results), "--out", str(tmp_path))
    assert found == ["numpy", "scipy", "matplotlib", "pandas"]
    assert (tmp_path / "toy-all-runs.csv").is_file()


def test_the_runs_behind_a_number_are_shown_without_torch_and_without_drawing(results: Path) -> None:
    assert heavy(results, "why", "toy-all", "td", "mean", str(results)) == ["numpy", "scipy", "pandas"]
