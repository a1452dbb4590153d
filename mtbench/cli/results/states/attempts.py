"""Attempts at runs on the screen: a table for one run, and the work that was lost in all."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from mtbench.cli.base.shared import grid
from mtbench.store.run.attempting import known_attempts
from mtbench.store.run.attempts import DONE, STOPPED, Attempt, lost
from mtbench.store.status import RunStatus

__all__ = ["attempts_table", "lost_work"]


def attempts_table(attempts: Sequence[Attempt]) -> Table | None:
    """Return a table with a row for each attempt at a run; None of a single one that is done."""
    if not attempts or (len(attempts) == 1 and attempts[0].reason == DONE):
        return None
    has_jobs = any(attempt.job for attempt in attempts)
    found = grid("no.", "host", *["job"] * has_jobs, "start (UTC)", "end", "reason", "epochs", "lost")
    found.collapse_padding = True  # it is wide for 80 columns
    for column in found.columns:
        column.no_wrap = column.header in ("start (UTC)", "end", "epochs", "lost")
        column.min_width = len(STOPPED) if column.header == "reason" else None
    for attempt in attempts:
        jobs = [attempt.job] * has_jobs
        cells = (attempt.host, *jobs, f"{attempt.started:%Y-%m-%d %H:%M:%S}", _end(attempt), attempt.reason)
        found.add_row(str(attempt.number), *map(escape, cells), _epochs(attempt), _lost(attempt))
    return found


def lost_work(runs: Sequence[RunStatus]) -> str:
    """Return a sentence on the attempts at runs that ended early; empty if there are none."""
    everything = [attempts for run in runs if (attempts := known_attempts(run.folder))]
    early = sum(attempt.reason not in ("", DONE) for attempts in everything for attempt in attempts)
    if not early:
        return ""
    from mtbench.engines.screen.display import duration

    count, seconds = sum(map(len, everything)), sum(map(lost, everything))
    return f"Lost work: {early} of {count} attempts ended early, and {duration(seconds)} of training with them."


def _end(attempt: Attempt) -> str:
    if attempt.ended is None:
        return "running"
    return f"{attempt.ended:{'%H:%M:%S' if attempt.ended.date() == attempt.started.date() else '%Y-%m-%d %H:%M:%S'}}"


def _epochs(attempt: Attempt) -> str:
    since, until = ("?" if epoch is None else str(epoch) for epoch in (attempt.since_epoch, attempt.epoch))
    return since if attempt.ended is None else f"{since} to {until}"


def _lost(attempt: Attempt) -> str:
    from mtbench.engines.screen.display import duration

    return duration(attempt.lost_seconds) if attempt.ended else ""
