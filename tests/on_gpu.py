"""Run what needs a GPU: the tests marked ``gpu``, then the time of steps at one and several runs on the GPU.

``make gpu`` takes at most 8 minutes and needs no network and no data. If there are wheels in the folder ``wheels``,
they and this package are installed into a temporary folder; else the environment is taken as it is.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
WHEELS = ROOT / "wheels"
TESTS, BENCH = 270.0, 150.0
"""Seconds that the tests and the times of steps may take; installing takes some more."""
METHODS = "uniform,chmod,td,moo,branches+pcgrad"
MARK = "@pytest.mark.gpu"


def marked() -> list[str]:
    """Return the files with tests that need a GPU, for others may need packages that are not there."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(file.relative_to(ROOT)) for file in files if MARK in file.read_text()]


def installed(folder: Path, wheels: Path) -> dict[str, str]:
    """Return the environment of processes, with the wheels and this package installed in a folder, if there are any."""
    paths = [str(ROOT / "tests" / "plugins"), os.environ.get("PYTHONPATH", "")]
    if found := sorted(map(str, wheels.glob("*.whl"))):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        subprocess.run([*command, "--target", str(folder), *found, str(ROOT)], check=True, timeout=300)
        paths.insert(0, str(folder))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path), "OMP_NUM_THREADS": "1"}


def timed(what: str, arguments: Sequence[str], environment: Mapping[str, str], limit: float) -> int:
    """Run a Python command, say how long it took, and return its exit code; 124 where it took more than the limit."""
    started = time.monotonic()
    try:
        code = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=dict(environment), timeout=limit, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        code = 124
    print(f"== {what}: exit code {code} after {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201
    return code


def main(given: Sequence[str] | None = None) -> int:
    """Return 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--seconds", default="2", help="that each measurement times")
    parser.add_argument("--jobs", default="1,5", help="runs at a time")
    parser.add_argument("--set", action="append", default=[], help="a setting of the protocol")
    parser.add_argument("--wheels", type=Path, default=WHEELS)
    parser.add_argument("--out", type=Path, help="folder for the table and the figure of times")
    parser.add_argument("tests", nargs="*", help="files with tests; by default all that have some for a GPU")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        environment = installed(Path(folder), asked.wheels)
        # Another machine has other versions, whose warnings are no faults.
        tests = ["-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
        if asked.device != "cpu" and importlib.util.find_spec("xdist"):
            tests += ["--numprocesses", str(min(8, os.cpu_count() or 1))]
        failed = timed("tests", [*tests, *(asked.tests or marked())], environment, TESTS)
        bench = ["-m", "mtbench", "bench", "--device", asked.device, "--methods", asked.methods, "--random"]
        bench += ["--seconds", asked.seconds, "--jobs", asked.jobs, *(["--out", str(asked.out)] if asked.out else [])]
        bench += [part for setting in asked.set for part in ("--set", setting)]
        return max(failed, timed("times of steps", bench, environment, BENCH))


if __name__ == "__main__":
    sys.exit(main())
