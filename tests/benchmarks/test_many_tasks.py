"""Time and memory of a step by the number of tasks, in a process for each; `make benchmark` prints the table."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.test_speed import show

ROOT = Path(__file__).parents[2]
TASKS = (2, 40, 329)

pytestmark = pytest.mark.benchmark


def measured(method: str, tasks: int) -> dict[str, float]:
    """Return the seconds of a step, the peak memory in MiB and the parameters with that many tasks of 8 classes."""
    command = [sys.executable, "-m", "tests.benchmarks.steps", method, str(tasks), "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("method", ["chmod", "td", "td:preset=levi2021"])
def test_a_step_with_many_tasks_over_one_with_two(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = {tasks: measured(method, tasks) for tasks in TASKS}
    for tasks, values in found.items():
        ratios = {name: value / found[TASKS[0]][name] for name, value in values.items()}
        show(
            capsys,
            f"{method} on vgg11:width=.25 at 64 x 64, {tasks:3} tasks / 2: step {ratios['seconds']:5.2f}, peak memory "
            f"{ratios['peak']:5.2f}, parameters {ratios['parameters']:5.2f}  "
            f"({1000 * values['seconds']:.0f} ms, {values['peak']:.0f} MiB, {values['parameters']:,})",
        )
    assert found[2]["parameters"] < found[40]["parameters"] < found[329]["parameters"]
