"""Missing runs that Slurm's queue has: ``mtbench status`` names their jobs."""

import os
from collections.abc import Collection
from pathlib import Path

from mtbench.engines.slurm.commands import Commands
from mtbench.engines.slurm.submission import in_queue, read_submissions

__all__ = ["waiting_runs"]


def waiting_runs(results: Path, runs: Collection[Path]) -> dict[Path, str]:
    """Return those of some runs that wait in Slurm's queue or run, with the number of the job, as ``12_3``.

    Slurm is asked once, and only if some of the runs were submitted from this results folder.

    Args:
        results: the results folder.
        runs: the folders of the runs.

    Raises:
        RunError: Slurm is not installed here, or does not answer.
        StoreError: a submission cannot be read.
    """
    within = {os.path.relpath(os.path.abspath(run), os.path.abspath(results)): run for run in runs}
    submissions = read_submissions(results)
    if not any(run in within for submission in submissions for element in submission.elements for run in element):
        return {}
    queue = Commands(lambda _: None).queue()
    found = in_queue(submissions, {place: entry for place, entry in queue.items() if not entry.is_over})
    return {within[run]: entry.job for _, entry, its in found for run in its if run in within}
