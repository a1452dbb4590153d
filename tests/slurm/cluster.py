"""A real Slurm of two nodes on this machine."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waits import wait_until

__all__ = ["Cluster", "a_cluster", "why_not"]

HERE = Path(__file__).parent
LOCK = Path("/tmp/mtbench-tests-slurm.lock")
"""Locked by the test that has Slurm started: its ports are those of the machine."""


def why_not() -> str:
    """Return the reason for which Slurm cannot be started here; empty if it can."""
    missing = [name for name in ("slurmctld", "slurmd", "sbatch", "munged") if shutil.which(name) is None]
    if missing:
        return f"Slurm is not installed ({', '.join(missing)})"
    return "" if os.geteuid() == 0 else "only root can start Slurm"


class Cluster:
    """A Slurm that runs, whose configuration is in the environment of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, *words: str) -> str:
        """Return the output of a command."""
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    def mtbench(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of mtbench in a group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "mtbench", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self, job: str) -> list[int]:
        """Return the processes of Python of an element of an array, such as 12_3."""
        array, _, index = job.partition("_")
        wanted = {f"SLURM_ARRAY_JOB_ID={array}", f"SLURM_ARRAY_TASK_ID={index}"}
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile
                is_python = os.readlink(path / "exe") == os.path.realpath(sys.executable)
                if is_python and wanted <= set((path / "environ").read_bytes().decode(errors="replace").split("\0")):
                    found.append(int(path.name))
        return found

    def kill_node(self, node: str) -> None:
        """Kill a node with all that runs there, as a power cut would, and switch it on again."""
        subprocess.run([HERE / "down.sh", self.folder, node], check=True, timeout=60)
        self.call("slurmd", "-N", node)


@contextmanager
def a_cluster(folder: Path, setenv: Callable[[str, str], None]) -> Iterator[Cluster]:
    """Start Slurm for the duration of the block.

    Args:
        folder: the folder of its state and logs.
        setenv: sets a variable of the environment.
    """
    with LOCK.open("w") as lock:
        wait_until(lambda: _is_locked(lock.fileno()), within=600)
        setenv("SLURM_CONF", str(folder / "slurm.conf"))
        try:
            subprocess.run([HERE / "up.sh", folder], check=True, timeout=90, stdout=subprocess.DEVNULL)
            yield Cluster(folder)
        finally:
            subprocess.run([HERE / "down.sh", folder], check=True, timeout=90)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.5)
        return False
    return True
