"""Runs in this process, for schedulers and under a debugger."""

import pdb
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from mtbench.door.given import DEFAULT_RESULTS
from mtbench.engines.job import execute
from mtbench.engines.local.pool import RECHECK
from mtbench.engines.local.worker import drop_log, print_to
from mtbench.engines.stop import Stop
from mtbench.errors import Busy, Stopped, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.results import find_runs, mark_results
from mtbench.store.run.folder import LOG, RunFolder, read_spec
from mtbench.store.run.lease import BEAT, SILENCE
from mtbench.train.progress import Progress

__all__ = ["debug", "in_job", "place_run"]

SPEC = "spec.json"
PATIENCE = SILENCE + 2 * BEAT
"""Seconds that a job waits for a run that another process has; one of a lost machine is dead by then."""


def place_run(file: Path, results: Path | None) -> tuple[RunFolder, RunSpec]:
    """Return the run whose spec a file holds, and write the spec into the run's folder if it lies elsewhere.

    Args:
        file: the spec: a run's ``spec.json``, the folder of a run, or any other file with such content.
        results: the results folder that the run is to be in; by default that of a ``spec.json`` is where it lies, and
            that of any other file is `DEFAULT_RESULTS`.

    Returns:
        the folder of the run, and its spec with the paths of files among its options.

    Raises:
        StoreError: the file cannot be read, is no spec, or the results folder cannot be written.
    """
    path = file / SPEC if file.is_dir() else file
    if path.name == SPEC and results is None:
        run = RunFolder(path.parent)
        return run, run.spec()
    spec = RunFolder(path.parent).spec() if path.name == SPEC else read_spec(path)
    place = results or DEFAULT_RESULTS
    mark_results(place)
    (run,) = find_runs(place, [spec])
    run.write_spec(spec)
    return run, run.spec()


def in_job(run: RunFolder, train: Callable[[], None], say: Callable[[str], None], stop: Stop) -> None:
    """Train a run in a job of a scheduler: its output goes to the run's folder, and a run that is taken is waited for.

    A job that a scheduler starts again, since its machine was lost, finds the lease of its predecessor, which is dead
    only after some time.

    Args:
        run: the folder of the run.
        train: trains it, and raises Busy while another process has it.
        say: called with a sentence on that process.
        stop: the request to end early.

    Raises:
        Busy: another live process still has it after `PATIENCE`.
        Stopped: `stop` was requested.
    """
    log = run.path / LOG
    print_to(log)
    deadline, told = time.monotonic() + PATIENCE, ""
    while True:
        try:
            train()
            break
        except Busy:
            if run.has_record:
                break
            if time.monotonic() > deadline:
                raise
        if (holder := run.holder) is not None and holder.who != told:
            told = holder.who
            say(f"waiting, since {holder}")
        stop.check()
        time.sleep(RECHECK)
    drop_log(log, done=True)


def debug(
    run: RunFolder,
    spec: RunSpec,
    root: Path,
    device: str,
    watch: Callable[[Progress], None],
    say: Callable[[str], None],
) -> bool:
    """Train a run in this process under Python's debugger, from the first line of `mtbench.train.trained.train`.

    An error opens the debugger where it was raised. Neither an error nor quitting the debugger makes it a failed run.

    Args:
        run: the folder of the run.
        spec: its spec.
        root, device, watch, say: see `mtbench.engines.job.execute`.

    Returns:
        True if there was no error.

    Raises:
        Busy: another live process works on the run.
        Stopped: the debugger was quit.
        StoreError: the results cannot be read or written.
    """
    try:
        execute(run, spec, root, device, watch, say=say, stop=Stop(), debugger=pdb.Pdb())
    except (Busy, Stopped, StoreError):
        raise
    except Exception as cause:
        traceback.print_exception(cause)
        say("post mortem: the debugger is where the error was raised; q ends it.")
        pdb.post_mortem(cause.__traceback__)
        return False
    return True
