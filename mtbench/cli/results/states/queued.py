"""Missing runs that are in the queue of a scheduler, on the screen."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from mtbench.engines.slurm.waiting import waiting_runs
from mtbench.errors import MtbenchError
from mtbench.store.status import RunStatus

__all__ = ["any_waiting", "waiting_line", "waiting_lines"]


def waiting_lines(runs: Sequence[RunStatus], folders: Sequence[Path]) -> Iterator[str]:
    """Yield a sentence on the missing runs of each results folder that were submitted to Slurm, if there are any.

    Args:
        runs: the runs.
        folders: results folders; those of packs have no submissions.
    """
    for folder in folders:
        try:
            found = waiting_runs(folder, _missing(runs))
        except MtbenchError as cause:
            yield f"Missing runs were submitted to Slurm. {_unknown(cause)}"
            continue
        if found:
            jobs = sorted({job.partition("_")[0] for job in found.values()}, key=int)
            yield (
                f"{len(found):,} of the missing runs {'is' if len(found) == 1 else 'are'} in Slurm's queue, "
                f"job{'s' * (len(jobs) > 1)} {', '.join(jobs)}. `squeue --me` has their states."
            )


def any_waiting(runs: Sequence[RunStatus], folders: Sequence[Path]) -> bool:
    """Return True if some of the missing runs are in Slurm's queue, and False if that is not known.

    Args:
        runs: the runs.
        folders: see `waiting_lines`.
    """
    with suppress(MtbenchError):
        return any(waiting_runs(folder, _missing(runs)) for folder in folders)
    return False


def waiting_line(run: RunStatus) -> str:
    """Return a sentence on a missing run that was submitted to Slurm; empty for any other run."""
    if run.state != "missing":
        return ""
    results = run.folder.parents[len(PurePath(run.spec.folder).parts) - 1]
    try:
        return "".join(f"It is in Slurm's queue, job {job}." for job in waiting_runs(results, [run.folder]).values())
    except MtbenchError as cause:
        return f"It was submitted to Slurm. {_unknown(cause)}"


def _missing(runs: Sequence[RunStatus]) -> list[Path]:
    return [run.folder for run in runs if run.state == "missing"]


def _unknown(cause: MtbenchError) -> str:
    return f"The state of its queue is not known: {cause}"
