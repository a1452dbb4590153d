"""The dry parts of ``make gpu``, on a CPU."""

import subprocess
import sys
from pathlib import Path

from tests.on_gpu import ROOT, marked


def test_the_files_with_tests_for_a_gpu_are_found() -> None:
    assert {"tests/train/machine/test_device.py", "tests/train/test_waiting.py"} <= set(marked())
    assert "tests/test_on_gpu.py" not in marked()


def test_without_a_gpu_and_wheels_the_tests_are_skipped_and_steps_are_timed(tmp_path: Path) -> None:
    tiny = ["--seconds", ".02", "--jobs", "1", "--set", "images=64", "--set", "batch=16", "--methods", "uniform"]
    places = ["--wheels", str(tmp_path / "none"), "--out", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "tests/on_gpu.py", "--device", "cpu", *tiny, *places, "tests/contract/data/test_streaming.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 skipped" in ended.stdout or "2 passed" in ended.stdout
    assert "== tests: exit code 0 after" in ended.stdout
    assert "== times of steps: exit code 0 after" in ended.stdout
    assert (tmp_path / "bench.png").is_file()
