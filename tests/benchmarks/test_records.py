"""Time and memory of ``mtbench status`` and ``report`` over many records; `make benchmark` prints the table.

With the Python of another checkout in MTBENCH_BASE, as in ``MTBENCH_BASE=../base/.venv/bin/python make benchmark``, the
same is measured there, in turn, and ratios are printed.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.test_speed import show

COUNTS = (1_000, 10_000)
ROUNDS = int(os.environ.get("MTBENCH_ROUNDS", "1"))
BASE = os.environ.get("MTBENCH_BASE", "")
COMMANDS = ("status", "report")
PYTHONS = {"here": sys.executable, **({"base": str(Path(BASE).absolute())} if BASE else {})}
MAKE = Path(__file__).with_name("records.py")

pytestmark = pytest.mark.benchmark

MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
"""Prints the CPU seconds and the peak memory in MiB of one command, of which the process has no other child."""


def measured(python: str, folder: Path, command: str, count: int) -> tuple[float, float]:
    """CPU seconds and peak memory (MiB) of a command over so many records, by the mtbench of a Python."""
    results = folder / str(count)
    environment = {**os.environ, "MTBENCH_DATA": str(folder), "MTBENCH_CACHE": str(folder / "cache")}
    if not results.is_dir():
        subprocess.run([python, MAKE, results, str(count)], env=environment, cwd=folder, check=True, timeout=600)
        measured(python, folder, "status", count)  # so that what is remembered is known to the first round too
    arguments = ["--out", str(folder / "out")] if command == "report" else []
    run = [python, "-m", "mtbench", command, "--results", str(results), *arguments]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *run],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    seconds, memory = map(float, done.stdout.split())
    return seconds, memory


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of records for each mtbench that is measured, filled when it is first needed."""
    return {name: tmp_path_factory.mktemp(name) for name in PYTHONS}


@pytest.mark.parametrize("command", COMMANDS)
def test_reading_ten_thousand_records_over_a_thousand(
    command: str, places: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for count in COUNTS:
            for name, folder in places.items():
                found.setdefault((name, count), []).append(measured(PYTHONS[name], folder, command, count))
    middle = {key: tuple(map(median, zip(*values, strict=True))) for key, values in found.items()}
    few, many = COUNTS
    for name in places:
        (few_seconds, few_memory), (seconds, memory) = middle[name, few], middle[name, many]
        show(
            capsys,
            f"{command:6} of {few:,} and {many:,} records, {name}: {few_seconds:.2f} s, {seconds:.2f} s, a record "
            f"{seconds / many / (few_seconds / few):.2f} x, {few_memory:.0f} MiB, {memory:.0f} MiB",
        )
    if BASE:
        ratios = (middle["here", many][part] / middle["base", many][part] for part in (0, 1))
        show(capsys, "{:6} of {:,} records, here / base: time {:.2f}, memory {:.2f}".format(command, many, *ratios))
    assert all(seconds > 0 for seconds, _ in middle.values())
