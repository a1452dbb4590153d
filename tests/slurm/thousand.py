"""A thousand short runs through a real Slurm of two nodes: the cost of submitting and following, and of each run.

    PYTHONPATH=.:tests/plugins python -m tests.slurm.thousand [RUNS]

Prints the processor time of ``mtbench run --engine slurm`` and of ``--follow`` for 1,000 elements, which may be 5 s for
each; and the wall time of RUNS runs of a fraction of a second by `local` and by `slurm`. The elements that are
submitted and followed first find their records there, so that their number is Slurm's only work.
"""

import dataclasses
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mtbench.plan.spec import RunSpec
from mtbench.store.record import render_record
from mtbench.store.run.folder import RunFolder, read_spec
from tests.slurm.cluster import Cluster, a_cluster, why_not
from tests.waits import wait_until

ELEMENTS = 1000
MOST = 5.0
"""Seconds of processor time that submitting or following `ELEMENTS` elements may take."""
GRID = ("--methods", "uniform", "--dataset", "toy-all", "--epochs", "1", "--set", "images=16", "--device", "cpu")
SLURM = ("--time", "2h", "--array-size", "2", "--engine")
DEADLINE = 7200.0


def command(
    results: Path, runs: int, *others: str, meanwhile: Callable[[], None] = lambda: None
) -> tuple[float, float]:
    """Return the seconds of processor time and of wall time of ``mtbench run``, with those of its children.

    Args:
        meanwhile: called while it runs.
    """
    words = [sys.executable, "-m", "mtbench", "run", *GRID, "--seeds", str(runs), "--results", str(results), *others]
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
    reader.start()
    meanwhile()
    # Not waited for by the object, since the system then tells the times of this process alone.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begin
    reader.join(10)
    if process.returncode:
        sys.exit(f"{' '.join(words)}\n{''.join(said)[-4000:]}")
    return used.ru_utime + used.ru_stime, wall


def finish(results: Path) -> None:
    """Give each run the record of the first one, with its own seed."""
    folders = sorted(path.parent for path in results.glob("*/*/*/spec.json"))
    one = next(record for folder in folders if (record := RunFolder(folder).record()))
    for folder in folders:
        spec: RunSpec = read_spec(folder / "spec.json")
        (folder / "record.json").write_text(render_record(dataclasses.replace(one, spec=spec)))


def commands(cluster: Cluster, folder: Path) -> bool:
    """Print the cost of submitting and following; return True if neither takes more than it may."""
    command(folder, 1)  # a record to copy
    submitting, _ = command(folder, ELEMENTS + 1, *SLURM, "slurm:sbatch=--hold", "--runs-per-job", "1")

    def release() -> None:
        lease = folder / ".slurm"
        wait_until(lambda: any(lease.glob("claim.*")), within=120)  # it has planned, and looks at the queue
        finish(folder)
        arrays = {line.partition("_")[0] for line in cluster.call("squeue", "-h", "-r", "-o", "%i").splitlines()}
        cluster.call("scontrol", "release", *sorted(arrays))

    following, wall = command(folder, ELEMENTS + 1, *SLURM, "slurm", "--follow", meanwhile=release)
    print(  # noqa: T201
        f"{ELEMENTS:,} elements: submitting takes {submitting:.1f} s of processor time, following {following:.1f} s in "
        f"{wall:.0f} s; each may take {MOST:g} s.",
        flush=True,
    )
    return max(submitting, following) <= MOST


def overhead(folder: Path, runs: int) -> None:
    """Print the wall time of runs by both engines, on two cores."""
    _, local = command(folder / "local", runs, "--jobs", "2")
    few = max(2, runs // 50)
    _, alone = command(folder / "alone", few, *SLURM, "slurm", "--runs-per-job", "1", "--follow")
    per_job = max(1, runs // 20)
    _, together = command(folder / "together", runs, *SLURM, "slurm", "--runs-per-job", str(per_job), "--follow")
    print(  # noqa: T201
        f"{runs:,} runs on two cores: {local / runs:.2f} s for each by local; {together / runs:.2f} s by slurm with "
        f"{per_job} runs per job, {alone / few:.2f} s with 1 (of {few} runs).\n"
        f"Overhead for each run: {(together - local) / runs:+.2f} s, and {alone / few - local / runs:+.2f} s."
    )


def main() -> None:
    """Measure, and end with 1 if a command takes more than it may."""
    if reason := why_not():
        sys.exit(reason)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else ELEMENTS
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="mtbench-slurm-") as name:
        folder = Path(name)
        with a_cluster(folder / "slurm", os.environ.__setitem__) as cluster:
            is_cheap = commands(cluster, folder / "elements")
            overhead(folder, runs)
    sys.exit(not is_cheap)


if __name__ == "__main__":
    main()
