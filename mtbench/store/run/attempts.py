"""The log of the attempts at a run: the file ``attempts.jsonl`` in its folder, one event in each line.

A line is added when an attempt begins, when it knows the epoch that it resumes from, and when it ends. A process that
is killed writes no end; the next process that leases the run writes it (see `mtbench.store.run.attempting`). A line
that cannot be read, as half a line, is passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, NonNegativeInt, TypeAdapter, ValidationError

from mtbench.errors import StoreError
from mtbench.store.files.guard import Refused, read_lines

__all__ = ["DONE", "FILE", "LOST", "STOPPED", "Attempt", "Began", "Ended", "Resumed", "fruitless", "lost"]
__all__ += ["read_attempts"]

FILE = "attempts.jsonl"
LARGEST = 256 << 10
"""Bytes of the largest log, which is some 800 attempts: a larger one is not read, and none is continued beyond it."""
DONE, STOPPED, LOST = "done", "stopped", "lost"
"""Reasons for an end. An attempt is lost if its process ended without a word. Any other reason is that of a failure."""

Number: TypeAlias = Annotated[int, Field(gt=0, lt=1 << 53)]
"""A number of an attempt or of a process."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One process that trained a run, from its start to its end.

    Times are those of the clock of the file system, in UTC.

    Attributes:
        number: its number, from 1.
        host: the name of the machine.
        pid: the number of the process.
        job: the name of its job at a scheduler; empty without one.
        started: the time of its start.
        since_epoch: finished epochs that it resumed from, 0 for the beginning; None if it ended before it knew.
        ended: the time of its end; of a lost attempt that of its last sign of life. None if it has not ended.
        reason: `DONE`, `STOPPED`, `LOST`, or ``failed: `` and a sentence; empty if it has not ended.
        epoch: finished epochs in its last checkpoint, or in its record; None if that is unknown.
        saved: the time of the last checkpoint that it wrote; None if it wrote none.
    """

    number: int
    host: str
    pid: int
    job: str
    started: datetime
    since_epoch: int | None
    ended: datetime | None = None
    reason: str = ""
    epoch: int | None = None
    saved: datetime | None = None

    @property
    def seconds(self) -> float:
        """The seconds from its start to its end; 0 if it has not ended."""
        return _seconds(self.started, self.ended)

    @property
    def lost_seconds(self) -> float:
        """The seconds from its last checkpoint, or its start, to its end; 0 if it is done or has not ended."""
        return 0.0 if self.reason == DONE else _seconds(self.saved or self.started, self.ended)

    @property
    def is_fruitless(self) -> bool:
        """True if it was stopped or lost, and the run is not further than it was at its start."""
        return self.reason in (STOPPED, LOST) and self.saved is None


@dataclass(frozen=True, kw_only=True)
class Began:
    """The line of a begin; `epoch` is None where there is a checkpoint, until it is read."""

    event: Literal["began"] = "began"
    number: Number
    host: str
    pid: Number
    job: str
    time: AwareDatetime
    epoch: NonNegativeInt | None


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """The line of the epoch that an attempt resumes from."""

    event: Literal["resumed"] = "resumed"
    number: Number
    epoch: NonNegativeInt


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The line of an end."""

    event: Literal["ended"] = "ended"
    number: Number
    time: AwareDatetime
    reason: str
    epoch: NonNegativeInt | None
    saved: AwareDatetime | None


def read_attempts(folder: Path) -> tuple[Attempt, ...]:
    """Return the attempts at the run in a folder, in order; none if it has no log, or one that cannot be read."""
    try:
        lines = read_lines(folder / FILE, LARGEST)
    except (OSError, StoreError, Refused):
        return ()
    began: dict[int, Began] = {}
    resumed: dict[int, int] = {}
    ended: dict[int, Ended] = {}
    for event in _events(lines):
        if isinstance(event, Began):
            began.setdefault(event.number, event)
        elif event.number not in began:  # the line of its begin is damaged, and its number may be used again
            continue
        elif isinstance(event, Resumed):
            resumed[event.number] = event.epoch
        else:  # a process that was taken over may write a second one, some time after the first
            ended.setdefault(event.number, event)
    return tuple(_attempt(each, resumed, ended.get(each.number)) for _, each in sorted(began.items()))


def fruitless(attempts: Sequence[Attempt]) -> int:
    """Return the number of last attempts by jobs of a scheduler that were stopped or lost without a new checkpoint.

    A job that is given back to its scheduler each time would never end where this number only grows. An attempt that
    has not ended is not looked at.
    """
    ends = [attempt for attempt in attempts if attempt.ended]
    return sum(1 for _ in takewhile(lambda each: each.job and each.is_fruitless, reversed(ends)))


def lost(attempts: Sequence[Attempt]) -> float:
    """Return the seconds of training that are in no checkpoint and no record.

    Where a run started over, as after a change of code, everything before is lost.
    """
    total = kept = 0.0
    for attempt in attempts:
        if attempt.since_epoch == 0:
            total, kept = total + kept, 0.0
        total += attempt.lost_seconds
        kept += attempt.seconds - attempt.lost_seconds
    return total


Event: TypeAlias = Began | Resumed | Ended
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def _events(lines: Sequence[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            yield _EVENT.validate_json(line)
        except ValidationError:
            continue


def _attempt(began: Began, resumed: dict[int, int], ended: Ended | None) -> Attempt:
    since, epoch = resumed.get(began.number, began.epoch), ended.epoch if ended else None
    if ended and epoch is None and ended.reason != DONE:
        # Of a lost attempt the next one knows it, which resumes from its checkpoint.
        epoch = since if ended.saved is None else resumed.get(began.number + 1)
    return Attempt(
        number=began.number,
        host=began.host,
        pid=began.pid,
        job=began.job,
        started=began.time,
        since_epoch=since,
        ended=ended.time if ended else None,
        reason=ended.reason if ended else "",
        epoch=epoch,
        saved=ended.saved if ended else None,
    )


def _seconds(begin: datetime, end: datetime | None) -> float:
    """Return the seconds between two times; 0 where a clock was set back between them."""
    return max(0.0, (end - begin).total_seconds()) if end else 0.0
