"""Signs of a run on another machine, and what its process is given from here."""

import os
import signal

from mtbench.engines.engine import Job
from mtbench.engines.ray.attend import PASSED
from mtbench.engines.stop import STOPPING_SIGNALS
from mtbench.store.run.checkpoint import CHECKPOINT
from mtbench.store.run.folder import LOG, RunFolder

__all__ = ["checkpoint_of", "killed", "last_line", "passed"]


def passed() -> dict[str, str]:
    """Return the environment variables that runs get from this command, with absolute paths of packages."""
    found = {name: text for name, text in os.environ.items() if name.startswith(PASSED)}
    if paths := found.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths.split(os.pathsep) if path)
    return found


def checkpoint_of(job: Job) -> tuple[int, int] | None:
    """Return what distinguishes the checkpoint of a run from another; None if it has none."""
    try:
        found = (job.folder / CHECKPOINT).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def killed(code: int) -> str:
    """Return a clause on a process that ended by a signal, or was stopped by one, by its exit code."""
    if -code in STOPPING_SIGNALS or code > 0:
        return "its process was stopped from outside"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = f"its process was killed by {name}"
    return why + " (as the system does when memory runs out)" if name == "SIGKILL" else why


def last_line(run: RunFolder) -> str:
    """Return the last line of the output of a run; empty if there is none."""
    try:
        text = (run.path / LOG).read_text(errors="replace")
    except OSError:
        return ""
    return text.strip().rpartition("\n")[2].strip()
