"""A disk that is full loses nothing: no run fails, and the same command resumes when there is space again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.builders.machines import with_mounts
from tests.cli.commands import MTBENCH

HERE = Path(__file__).parents[2]


def on_a_small_disk(folder: Path, what: str) -> list[dict[str, Any]]:
    command = with_mounts([sys.executable, "-m", "tests.faults.full_disk", str(folder), what], small=folder)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_run_whose_disk_is_full_at_any_of_its_files_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    found = on_a_small_disk(tmp_path, "runs")
    assert [each["file"] for each in found] == [
        *("checkpoint.pt", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json")
    ]
    for each in found:
        path = tmp_path / f"run-{each['file']}" / each["file"]
        assert each.pop("said") == (
            f"{path} cannot be written: No space left on device. "
            "The disk is full: free some space; the same command then resumes."
        )
        assert each == {"file": path.name, "left": [], "failed": False, "again": "", "equal": True}


def test_a_search_whose_disk_is_full_at_its_journal_goes_on_to_the_same_trials(tmp_path: Path) -> None:
    (found,) = on_a_small_disk(tmp_path, "search")
    assert found["said"].partition(" cannot be written: No space left on device.")[0].endswith("/journal.log")
    assert found["torn"]
    assert found["left"] == []
    assert found["equal"]


def test_a_pack_whose_disk_is_full_while_it_is_written_stays_the_old_one_and_is_then_written(tmp_path: Path) -> None:
    (found,) = on_a_small_disk(tmp_path, "pack")
    assert found.pop("said").startswith(f"{tmp_path / 'kept.zip'} cannot be written: No space left on device.")
    assert found == {"left": [], "kept": True, "again": "", "whole": True}


def test_runs_that_a_disk_of_8_mb_has_no_room_for_are_refused_before_training(tmp_path: Path) -> None:
    asked = (
        "run",
        "--methods",
        "uniform@mlp:width=1000:depth=2",
        "--dataset",
        "toy-all",
        "--seeds",
        "1",
        "--jobs",
        "1",
    )
    command = with_mounts(
        [sys.executable, "-c", MTBENCH, *asked, "--results", str(tmp_path / "results")], small=tmp_path
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    needs = (
        r"the weights, records and checkpoints of 1 run need \d\d MB in .*/results, and the disk has [78]\.\d MB left"
    )
    assert re.search(needs, done.stderr)
    assert "Traceback" not in done.stderr
