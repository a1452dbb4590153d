"""The task that a worker of Ray executes: it starts a run's command in a process of its own and waits for it.

The process is told by the kernel when its worker has died, however it died, so that no run is left behind. As a script
this file is the first moment of that process.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

__all__ = ["PASSED", "attend"]

PASSED = (
    *("CUBLAS_", "KMP_", "MKL_", "MTBENCH_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON", "TORCH"),
    *("LANG", "LC_", "TZ"),
)
"""Beginnings of the environment variables that a run takes from the command, and not from its worker."""
STOPPING = 15.0
"""Seconds that a run has to stop after a request; it ends itself after 10 s (see `mtbench.engines.stop`)."""
PDEATHSIG = 1
"""The number of PR_SET_PDEATHSIG among the requests of prctl."""


def attend(words: Sequence[str], environment: Mapping[str, str], folder: str, log: str) -> tuple[int | None, str]:
    """Execute a command, and return its exit code; None and the reason if it cannot be started on this machine.

    A task of Ray must return: one that exits, even with 0, counts as crashed.

    Args:
        words: the words of the command.
        environment: the environment variables that begin with one of `PASSED`.
        folder: the folder that it is executed in.
        log: the file that its output is added to.

    Raises:
        KeyboardInterrupt: the task was canceled; the process has stopped.
        SystemExit: the worker was asked to end; the process has stopped.
    """
    process = None
    own = {name: text for name, text in os.environ.items() if not name.startswith(("RAY_", *PASSED))}
    try:
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [words[0], "-I", "-S", __file__, str(os.getpid()), *words],
                cwd=folder,
                env=own | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        while True:
            try:
                return process.wait(1), ""  # in short waits, which a request to stop can interrupt
            except subprocess.TimeoutExpired:
                continue
    except OSError as cause:
        return None, f"{socket.gethostname()} cannot execute it: {cause}"
    finally:
        if process is not None and process.poll() is None:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _become(parent: int, words: Sequence[str]) -> None:
    """Replace this process by a command that gets SIGTERM when its parent dies."""
    ctypes.CDLL(None).prctl(PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it died before
        sys.exit(1)
    os.execv(words[0], list(words))


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
