"""A grid on a Ray cluster of two nodes, one of which is killed, and so is the command once: ``make slow-engines``.

The grid is that of the README with fewer images. Every record must be that of the engine ``local``, bit for bit, and no
run may be retrained after it was finished.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from mtbench.store.run.attempts import DONE, LOST, STOPPED, read_attempts
from tests.builders.ray_nodes import head, kill, marked, node, processes
from tests.kills import finished_runs, owners
from tests.waits import wait_until

GRID = ("--methods", "td,chmod,moo", "--dataset", "mmnist3", "--quick", "--set", "images=2000")
MARK = "MTBENCH_TWO_NODES"


def main() -> None:
    """Do the grid with both engines, and print what happened."""
    clock = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - clock:4.0f} s: {text}", flush=True)  # noqa: T201

    with tempfile.TemporaryDirectory() as name, ExitStack() as nodes:
        folder = Path(name)
        here, there = folder / "local", folder / "ray"
        finish(start(here, "local"))
        tell(f"{len(finished_runs(here))} runs of {' '.join(GRID)} are done by engine local")

        cluster = nodes.enter_context(head(folder, cpus=1))
        engine = f"ray:head={cluster.head}:port={cluster.port}:token={cluster.token}"
        second = nodes.enter_context(node(folder, cluster, "second", cpus=1))
        command = start(there, engine)
        run = wait_for_checkpoint(there, second)
        kill(second)
        tell(f"a node of two is killed, which trains {run}")
        wait_until(lambda: len(list(there.rglob("record.json"))) >= 2, within=900)
        command.kill()
        command.communicate(timeout=60)
        wait_until(lambda: not trained(there), within=60)
        before = {path.parent.name: path.stat() for path in there.rglob("record.json")}
        tell(f"the command is killed, with {len(before)} runs finished")
        nodes.enter_context(node(folder, cluster, "third", cpus=1))
        finish(start(there, engine))
        tell("the command was given again, with another node")

        assert finished_runs(there) == finished_runs(here)
        after = {path.parent.name: path.stat() for path in there.rglob("record.json")}
        assert {run: after[run] for run in before} == before
        reasons = [[attempt.reason for attempt in read_attempts(path.parent)] for path in there.rglob("record.json")]
        assert all(each.count(DONE) == 1 and each[-1] == DONE for each in reasons), reasons
        again = [reason for each in reasons for reason in each[:-1]]
        assert again
        assert set(again) <= {LOST, STOPPED}, again
    wait_until(lambda: not marked(MARK), within=60)
    tell(f"all records are equal, and no finished run was retrained; {len(again)} attempts were cut off")


def start(results: Path, engine: str) -> "subprocess.Popen[str]":
    """Start the command on the grid with an engine."""
    words = ["run", *GRID, "--results", str(results), "--device", "cpu", "--jobs", "2", "--engine", engine]
    return subprocess.Popen(
        [sys.executable, "-m", "mtbench", *words],
        env=os.environ | {"OMP_NUM_THREADS": "1", MARK: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(command: "subprocess.Popen[str]") -> None:
    said, _ = command.communicate(timeout=1800)
    assert command.returncode == 0, said


def wait_for_checkpoint(results: Path, machine: "subprocess.Popen[bytes]") -> str:
    """Wait until a run on a node has a checkpoint, and return its name."""
    found: list[str] = []

    def is_there() -> bool:
        here = set(processes(machine.pid))
        found.extend(f.parent.name for f, pid in owners(results) if pid in here and any(f.glob("checkpoint*")))
        return bool(found)

    wait_until(is_there, within=900)
    return found[0]


def trained(results: Path) -> list[Path]:
    """Return the runs that a process works on."""
    return [folder for folder, _ in owners(results)]


if __name__ == "__main__":
    main()
