"""Judgement of a run whose job is over without a record."""

from dataclasses import dataclass
from pathlib import Path

from mtbench.engines.engine import Job
from mtbench.engines.slurm.desk import Element
from mtbench.engines.slurm.queue import Entry
from mtbench.store.run.attempts import DONE, LOST, STOPPED, Attempt, read_attempts
from mtbench.store.run.folder import LOG, RunFolder

__all__ = ["Verdict", "verdict"]

LONGEST = 100_000
"""Bytes at the end of the output of a job in which its last words are looked for."""


@dataclass(frozen=True)
class Verdict:
    """The end of a run, or its repetition.

    Attributes:
        how: ``failed``, ``stopped``, or ``again`` if it is to be submitted once more.
        why: the reason, a clause.
        progressed: True if its job has written a checkpoint.
    """

    how: str
    why: str
    progressed: bool = False


def verdict(job: Job, element: Element, entry: Entry | None, log: Path) -> Verdict:
    """Judge a run whose job is over without a record.

    A run that has failed, or was refused before it began, is not submitted again, nor is one whose job was cancelled. A
    job that hit its time limit, lost its node, or has left the queue without a word did not fail by the run's fault.

    Args:
        job: the run.
        element: its place in the queue.
        entry: the line of the queue; None if there is none any more.
        log: the output of the job.
    """
    its = [attempt for attempt in read_attempts(job.folder) if attempt.job == element.id]
    progressed = any(attempt.saved is not None for attempt in its)
    failure = RunFolder(job.folder).failure()
    if failure is not None and not failure.is_retryable:
        return Verdict("failed", failure.message, progressed)
    state = entry.state if entry is not None else "of which Slurm knows nothing any more"
    named = f"job {element.id} ended as {state}" if entry is not None else f"job {element.id} left the queue"
    if state == "CANCELLED":
        return Verdict("stopped", f"job {element.id} was cancelled", progressed)
    if state == "FAILED" and failure is None and not _was_cut_off(its):
        said = _last_line(job.folder / LOG) or _last_line(log, job.title) or _last_line(log)
        return Verdict("failed", f"{named}: {said}" if said else named, progressed)
    return Verdict("again", named, progressed)


def _was_cut_off(attempts: list[Attempt]) -> bool:
    """Return True if the last attempt was stopped, or killed without a word, as when memory runs out."""
    return bool(attempts) and (not attempts[-1].ended or attempts[-1].reason in (LOST, STOPPED, DONE))


def _last_line(path: Path, about: str = "") -> str:
    """Return the last line of a file that has this text in it; empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LONGEST))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip() and about in line), "")
