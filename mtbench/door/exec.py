"""One run in this process, for schedulers and under a debugger."""

import pdb
import traceback
from collections.abc import Callable
from pathlib import Path

from mtbench.door.given import DEFAULT_RESULTS
from mtbench.engines.job import execute
from mtbench.engines.stop import Stop
from mtbench.errors import Busy, Stopped, StoreError
from mtbench.store.folder import RunFolder, read_spec
from mtbench.store.results import find_runs, mark_results
from mtbench.train.progress import Progress

__all__ = ["debug", "place_run"]

SPEC = "spec.json"


def place_run(file: Path, results: Path | None) -> RunFolder:
    """Return the folder of the run whose spec a file holds, and write the spec there if it lies elsewhere.

    Args:
        file: the spec: a run's ``spec.json``, the folder of a run, or any other file with such content.
        results: the results folder that the run is to be in; by default that of a ``spec.json`` is where it lies, and
            that of any other file is `DEFAULT_RESULTS`.

    Raises:
        StoreError: the file cannot be read, is no spec, or the results folder cannot be written.
    """
    path = file / SPEC if file.is_dir() else file
    if path.name == SPEC and results is None:
        run = RunFolder(path.parent)
        run.spec()  # an error is found before anything is loaded
        return run
    spec = RunFolder(path.parent).spec() if path.name == SPEC else read_spec(path)
    place = results or DEFAULT_RESULTS
    mark_results(place)
    (run,) = find_runs(place, [spec])
    run.write_spec(spec)
    return run


def debug(
    run: RunFolder, root: Path, device: str, watch: Callable[[Progress], None], say: Callable[[str], None]
) -> bool:
    """Train a run in this process under Python's debugger, from the first line of `mtbench.train.trained.train`.

    An error opens the debugger where it was raised. Neither an error nor quitting the debugger makes it a failed run.

    Args:
        run: the run.
        root, device, watch, say: see `mtbench.engines.job.execute`.

    Returns:
        True if there was no error.

    Raises:
        Busy: another live process works on the run.
        Stopped: the debugger was quit.
        StoreError: the results cannot be read or written.
    """
    try:
        execute(run.path / SPEC, root, device, watch, say=say, stop=Stop(), debugger=pdb.Pdb())
    except (Busy, Stopped, StoreError):
        raise
    except Exception as cause:
        traceback.print_exception(cause)
        say("post mortem: the debugger is where the error was raised; q ends it.")
        pdb.post_mortem(cause.__traceback__)
        return False
    return True
