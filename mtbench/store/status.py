"""In what state runs are: missing, running, failed, damaged, stale or fresh."""

from dataclasses import dataclass
from pathlib import Path

from mtbench.plan.spec import RunSpec
from mtbench.store.record import Record

__all__ = ["STATES", "RunStatus"]

STATES = ("missing", "running", "failed", "damaged", "stale", "fresh")


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """One run that was planned, and what became of it.

    Attributes:
        folder: where it is kept.
        spec: what was asked.
        state: one of `STATES`. Missing: no record and nobody at work. Running: a live claim and no record. Failed: a
            failure and no record. Damaged: a record that does not match its checksum. Stale: a record, but something
            that makes numbers has changed since. Fresh: a record that stands.
        why: for failed, damaged and stale, what happened or changed, in a sentence; else empty.
        record: for stale and fresh.
    """

    folder: Path
    spec: RunSpec
    state: str
    why: str
    record: Record | None
