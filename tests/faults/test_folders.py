"""A folder that becomes read-only, or goes, costs its own run alone, and one line on the screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.builders.machines import with_mounts

HERE = Path(__file__).parents[2]


def is_outcome(line: str) -> bool:
    return line.startswith("[")


def test_runs_whose_folders_are_read_only_or_removed_end_with_a_line_each_and_no_traceback(tmp_path: Path) -> None:
    command = with_mounts([sys.executable, "-m", "tests.faults.folders", str(tmp_path)])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not is_outcome(line) and ": epoch" not in line]
    found = {title: (how, why) for title, how, why in map(json.loads, filter(is_outcome, done.stdout.splitlines()))}
    claim = tmp_path / "read-only" / "run" / "claim.1"
    how, why = found.pop("removed")  # before its process reads its spec, or after that
    assert how == "failed"
    assert why.startswith(f"{tmp_path / 'removed' / 'run'}{os.sep}")
    assert why.endswith(": No such file or directory.")
    assert found == {
        "read-only": (
            "failed",
            f"{claim} cannot be written: Read-only file system. The file system is read-only: give a folder elsewhere "
            "with --results or --out.",
        ),
        "underway": (
            "failed",
            f"{tmp_path / 'underway' / 'run'} was removed while a process worked on the run there. "
            "The same command starts the run again.",
        ),
        "other": ("done", ""),
    }
    assert sorted(line.split()[0] for line in lines) == ["done"] + ["failed"] * 3
