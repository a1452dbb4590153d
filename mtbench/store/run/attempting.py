"""The log of attempts, as the process that has leased the run writes it.

An open attempt of a process that died is closed first: its end is the last heartbeat of its lease, or its last
checkpoint if that is later. A process lives for up to `mtbench.store.run.lease.BEAT` seconds after a heartbeat, so that
lost seconds are rather too few. That it wrote a checkpoint is known because this is newer than the log, to which a line
was added when it began.
"""

import errno
import json
import os
import platform
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mtbench.errors import Busy, StoreError
from mtbench.store.files.reading import size_of
from mtbench.store.run.attempts import DONE, FILE, LARGEST, LOST, Attempt, Began, Ended, Event, Resumed, read_attempts
from mtbench.store.run.checkpoint import CHECKPOINT
from mtbench.store.run.lease import Lease, is_leased, last_beat, time_of

__all__ = ["AttemptLog", "known_attempts"]

WIDTH = 300
"""Characters of the longest reason."""


class AttemptLog:
    """The attempt of this process at a run, and its lines in the log.

    A log that cannot be written is no failure of the run.

    Args:
        folder: the folder of the run.
        lease: the lease of the run, which is checked before each line.
    """

    def __init__(self, folder: Path, lease: Lease) -> None:
        self._path, self._lease = folder / FILE, lease
        self._say: Callable[[str], None] = lambda _: None
        self._number: int | None = None
        self._epoch: int | None = None
        attempts = read_attempts(folder)
        self._next = attempts[-1].number + 1 if attempts else 1
        if attempts and attempts[-1].ended is None:
            self._add(_end_of_dead(folder, attempts[-1], lease.before, lease.beat()))

    def begin(self, job: str, say: Callable[[str], None]) -> None:
        """Log that this process is about to train the run.

        Args:
            job: the name of its job at a scheduler; empty without one.
            say: called with a sentence if the log cannot be written.

        Raises:
            Busy: the run was taken over.
            StoreError: its folder was removed.
        """
        self._say, self._number = say, self._next
        self._epoch = None if self._path.with_name(CHECKPOINT).exists() else 0
        host = platform.node().partition(".")[0]
        time = self._lease.beat()
        self._add(Began(number=self._number, host=host, pid=os.getpid(), job=job, time=time, epoch=self._epoch))

    def resumed(self, state: Mapping[str, Any] | None) -> None:
        """Log the epoch that the attempt resumes from: that of a state, or 0 without one.

        Raises:
            Busy, StoreError: see `begin`.
        """
        epoch = _epoch(state)
        if self._number is not None and epoch != self._epoch:
            self._epoch = epoch
            self._add(Resumed(number=self._number, epoch=epoch))

    def kept(self, epoch: int) -> None:
        """Note that a checkpoint after this epoch was written, or the record."""
        self._epoch = epoch

    def end(self, reason: str) -> None:
        """Log the end of the attempt, unless the run was taken over.

        Args:
            reason: `DONE`, `STOPPED`, or a text that begins with ``failed: ``; of several lines one is made.
        """
        assert self._number is not None
        saved = None if reason == DONE else _saved(self._path.parent)
        line = " ".join(reason.split())
        line = line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
        time = self._lease.beat()
        try:
            self._add(Ended(number=self._number, time=time, reason=line, epoch=self._epoch, saved=saved))
        except (Busy, StoreError):
            return

    def _add(self, event: Event) -> None:
        self._lease.check()
        try:
            _append(self._path, json.dumps(asdict(event), default=_time).encode() + b"\n")
        except OSError as cause:
            say, self._say = self._say, lambda _: None  # once is enough
            say(f"The log of attempts {self._path} cannot be written: {cause.strerror or cause}. The run goes on.")


def known_attempts(folder: Path) -> tuple[Attempt, ...]:
    """Return the attempts at the run in a folder, the last one as lost where its process is dead and nobody wrote so.

    See `read_attempts`.
    """
    attempts = read_attempts(folder)
    if not attempts or attempts[-1].ended or is_leased(folder):
        return attempts
    *before, last = attempts
    end = _end_of_dead(folder, last, last_beat(folder), datetime.now(UTC))
    epoch = last.since_epoch if end.reason == LOST and end.saved is None else None
    return *before, replace(last, ended=end.time, reason=end.reason, saved=end.saved, epoch=epoch)


def _end_of_dead(folder: Path, attempt: Attempt, heartbeat: datetime | None, now: datetime) -> Ended:
    """Return the end of an attempt of a process that is dead."""
    if size_of(folder / "record.json") is not None:  # it died right after it had published its record
        saved, reason = None, DONE
    else:
        saved, reason = _saved(folder), LOST
    signs = (heartbeat or time_of(folder / FILE), saved)
    time = max((sign for sign in signs if sign), default=now)
    # A file may be of the future, where the clock was set back.
    return Ended(
        number=attempt.number, time=min(time, now), reason=reason, epoch=None, saved=min(saved, now) if saved else None
    )


def _saved(folder: Path) -> datetime | None:
    """Return the time of the last checkpoint of the last attempt; None if it wrote none."""
    checkpoint, log = time_of(folder / CHECKPOINT), time_of(folder / FILE)
    return checkpoint if checkpoint and log and checkpoint > log else None


def _epoch(state: Mapping[str, Any] | None) -> int:
    """Return the number of finished epochs of a state; 0 if that is no number, so that no run is resumed from it."""
    epoch = state.get("epoch") if state else 0
    return epoch if type(epoch) is int and epoch > 0 else 0


def _append(path: Path, line: bytes) -> None:
    """Add a line to a file, durably; after half a line, as of a process that was killed, a new one is begun."""
    # A link may lead anywhere, and a pipe makes a writer wait.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o644)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if state.st_size + len(line) > LARGEST:
            raise OSError(errno.EFBIG, "it is too large")
        if state.st_size and os.pread(descriptor, 1, state.st_size - 1) != b"\n":
            line = b"\n" + line
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _time(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat(timespec="milliseconds")
