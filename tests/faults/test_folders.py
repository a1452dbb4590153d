"""A folder that becomes read-only, or goes, costs its own run alone, and one line on the screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.builders.machines import with_mounts

HERE = Path(__file__).parents[2]


def test_runs_whose_folders_are_read_only_or_removed_end_with_a_line_each_and_no_traceback(tmp_path: Path) -> None:
    command = with_mounts([sys.executable, "-m", "tests.faults.folders", str(tmp_path)])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("[") and ": epoch" not in line]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    claim = tmp_path / "read-only" / "run" / "claim.1"
    spec = tmp_path / "removed" / "run" / "spec.json"
    assert found[:2] == [
        [
            *("read-only", "failed"),
            f"{claim} cannot be written: Read-only file system. The file system is read-only: give a folder elsewhere "
            "with --results or --out.",
        ],
        ["removed", "failed", f"{spec} cannot be read: No such file or directory."],
    ]
    assert found[2][:2] == ["underway", "failed"]
    assert found[2][2] == (
        f"{tmp_path / 'underway' / 'run'} was removed while a process worked on the run there. "
        "The same command starts the run again."
    )
    assert found[3] == ["other", "done", ""]
    assert [line.split()[0] for line in lines] == ["failed"] * 3 + ["done"]
