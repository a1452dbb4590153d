"""A step of `td` over one of the same network written by hand, in processes in turn; `make benchmark` prints it."""

import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.test_speed import show

ROOT, ROUNDS = Path(__file__).parents[2], 3

pytestmark = pytest.mark.benchmark


def measured(which: str, data_root: Path) -> float:
    """Return the CPU seconds of a step in a new process."""
    command = [sys.executable, "-m", "tests.benchmarks.top_down", which, str(data_root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    return float(done.stdout)


def test_a_step_of_td_over_the_same_network_by_hand(data_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [(measured("ours", data_root), measured("bare", data_root)) for _ in range(ROUNDS)]
    ours, bare = (median(seconds) for seconds in zip(*rounds, strict=True))
    show(
        capsys,
        f"step of td / the same network by hand  {ours / bare:5.2f}  {1000 * ours:.0f} / {1000 * bare:.0f} ms  "
        "(goal 0.42)",
    )
    assert ours > 0
