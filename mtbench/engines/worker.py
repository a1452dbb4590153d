"""What a worker process does: one run, told to its parent through a pipe."""

import faulthandler
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from mtbench.engines.job import execute
from mtbench.errors import Busy, MtbenchError, Stopped
from mtbench.store.folder import LOG
from mtbench.train.progress import Progress

__all__ = ["Ended", "work"]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The last word of a worker.

    Attributes:
        how: ``done``, ``busy`` (another process has the run), ``stopped`` or ``failed``.
        why: a sentence, for all but ``done``.
    """

    how: str
    why: str


def work(folder: str, root: str, device: str, pipe: Connection) -> None:
    """Execute the run in a folder; everything that happens goes into the pipe, `Progress` first and `Ended` last."""
    log = Path(folder) / LOG
    _print_to(log)

    def tell(progress: Progress) -> None:
        pipe.send(progress)

    try:
        execute(Path(folder) / "spec.json", Path(root), device, tell)
        ended = Ended(how="done", why="")
    except Busy as cause:
        ended = Ended(how="busy", why=str(cause))
    except Stopped as cause:
        ended = Ended(how="stopped", why=str(cause))
    except Exception as cause:  # the run's failure is kept in its folder, and is no reason for others to end
        why = str(cause) if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: {cause}"
        ended = Ended(how="failed", why=why)
    with suppress(OSError):
        if ended.how == "done" or (ended.how != "busy" and log.stat().st_size == 0):
            log.unlink()
    pipe.send(ended)
    pipe.close()


def _print_to(log: Path) -> None:
    """Send standard output and error, those of C libraries too, to a file: the terminal belongs to the parent."""
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()  # where it was when it crashed
