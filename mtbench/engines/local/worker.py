"""The work of a worker process: one run, reported to its parent through a pipe."""

import faulthandler
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from mtbench.engines.job import execute
from mtbench.engines.screen.output import outlive_output
from mtbench.engines.stop import stop_on_sigterm
from mtbench.errors import Busy, MtbenchError, Stopped
from mtbench.store.run.folder import LOG, RunFolder

__all__ = ["Ended", "Noted", "drop_log", "print_to", "work"]


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A note on the run, a sentence for the user."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end of a run, the last message of its worker.

    Attributes:
        how: ``done``, ``busy`` (another process works on the run), ``stopped`` or ``failed``.
        why: the reason as a sentence; empty for ``done``.
    """

    how: str
    why: str


def work(
    folder: str,
    root: str,
    device: str,
    pipe: Connection,
    *,
    checkpoint_every: float = 0,
    job: str = "",
    expected: Path | None = None,
) -> None:
    """Execute the run in a folder, and send `Progress`, `Noted` and at last `Ended` through the pipe.

    SIGTERM requests a stop (see `stop_on_sigterm`).

    Args:
        folder: the folder of the run.
        root: the folder of the data files.
        device: see `mtbench.engines.job.execute`.
        pipe: the end of a pipe.
        checkpoint_every, job, expected: see `mtbench.engines.job.execute`.
    """
    stop = stop_on_sigterm()
    log = Path(folder) / LOG
    print_to(log)

    def send(message: object) -> None:
        try:
            pipe.send(message)
        except BrokenPipeError:  # the parent is gone, which is no failure of the run
            os._exit(1)

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201
        send(Noted(text=text))

    try:
        run = RunFolder(Path(folder))
        execute(
            run,
            run.spec(),
            Path(root),
            device,
            send,
            say=say,
            stop=stop,
            checkpoint_every=checkpoint_every,
            job=job,
            expected=expected,
        )
        ended = Ended(how="done", why="")
    except Busy as cause:
        ended = Ended(how="busy", why=str(cause))
    except Stopped as cause:
        ended = Ended(how="stopped", why=str(cause))
    except Exception as cause:  # the run's failure is kept in its folder, and is no reason for others to end
        why = str(cause) if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: {cause}"
        ended = Ended(how="failed", why=why)
    if ended.how != "busy":
        drop_log(log, done=ended.how == "done")
    send(ended)
    pipe.close()


def drop_log(log: Path, *, done: bool) -> None:
    """Remove the log of a run that is done, or an empty one."""
    with suppress(OSError):
        if done or log.stat().st_size == 0:
            log.unlink()


def print_to(log: Path) -> None:
    """Redirect standard output and error, of C libraries too, to a file.

    If the file cannot be written they go nowhere; the run itself reports that its folder cannot be written.
    """
    try:
        descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    outlive_output()  # the disk of the log may be full
    faulthandler.enable()  # where it was when it crashed
