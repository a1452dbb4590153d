"""Leases: at most one live process works on a run, and a dead process is recognized without contacting it.

A lease is a file ``claim.N`` that was created exclusively (the name on disk is older than the word lease). It contains
a host, a process number and the process's start time; its modification time is a heartbeat. A process that finds the
lease N dead creates N + 1, and an owner that sees a higher number than its own has lost the run. So a process that was
only suspended cannot publish after another process has taken over.

A lease is dead
    if it is of this host, and no such process lives;
    if it is of this host, its process is stopped (as by SIGSTOP), and it had no heartbeat for `SILENCE`;
    if it is of another host (or container), and it had no heartbeat for `SILENCE`;
    if it cannot be read, as when its maker died between creating and writing it, after `GRACE`.
Ages are differences of two times of the file system of the lease, so that clocks need not agree. A heartbeat in the
future, as after that clock was set back, counts as one of now.
"""

import json
import os
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from pydantic import ConfigDict, TypeAdapter

from mtbench.errors import Busy, StoreError
from mtbench.store.files.atomic import store_errors, temporary_name
from mtbench.store.files.guard import SHORT, read_guarded
from mtbench.store.files.process import host, is_stopped, lives, started

__all__ = ["BEAT", "GRACE", "SILENCE", "Holder", "Lease", "holder_of", "is_leased", "last_beat", "time_of"]

BEAT = 10.0
"""Seconds between two heartbeats."""
SILENCE = 120.0
"""Seconds without a heartbeat after which a process of another host, or a stopped one, counts as dead."""
GRACE = 10.0
"""Seconds that the creator of a lease has to write into it."""

AHEAD = 1.0
"""Seconds that a heartbeat may be in the future, for file systems that round times."""

_NAME = re.compile(r"claim\.(\d+)")


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The owner in a lease.

    Attributes:
        host: hostname, boot and process namespace; process numbers can be compared only where these are equal.
        pid: the process number.
        started: start time of the process, as the system writes it; a reused process number has another one.
        token: time of the lease in UTC and random text, which distinguishes two leases of one process.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    host: str
    pid: int
    started: str
    token: str

    @property
    def since(self) -> datetime | None:
        """The time of the lease on the clock of its owner; None for leases of earlier versions, which lack it."""
        try:
            return datetime.fromisoformat(self.token.partition(" ")[0])
        except ValueError:
            return None

    @property
    def is_here(self) -> bool:
        """True if its process is one of this host."""
        return self.host == host()

    @property
    def is_stopped(self) -> bool:
        """True if its process is one of this host and stopped."""
        return self.is_here and is_stopped(self.pid)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The process that has a run, as far as others can know; its text is a clause on it.

    Attributes:
        who: the process and its host, and that it is stopped, if it is.
        since: the time of the lease; None if it is unknown.
        until: the time at which the lease is dead unless there is a heartbeat before; None if it is never dead as long
            as its process lives.
        heartbeat: the time of the last heartbeat.
    """

    who: str
    since: datetime | None
    until: datetime | None
    heartbeat: datetime

    def __str__(self) -> str:
        since = f" since {_clock(self.since)}" if self.since else ""
        if self.until is None:
            return f"{self.who} has it{since}, until that process ends"
        return (
            f"{self.who} has it{since}; its last heartbeat was at {_clock(self.heartbeat)}, "
            f"and without another it is taken over at {_clock(self.until)}"
        )


class Lease:
    """The right to work on the run in a folder for the duration of the block.

    ::

        with Lease(folder) as lease:
            ...
            lease.check()  # before anything is written

    Attributes:
        before: the time of the last heartbeat of the dead lease that it replaces; None if there is none.

    Raises:
        Busy: another live process has the lease.
        StoreError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before: datetime | None = None
        self._number = 0
        token = f"{datetime.now(UTC).isoformat(timespec='seconds')} {uuid.uuid4().hex}"
        self._owner = Owner(host=host(), pid=os.getpid(), started=started(os.getpid()) or "", token=token)
        self._released = threading.Event()

    def __enter__(self) -> "Lease":
        while self._number == 0:
            leases = _leases(self.folder)
            if leases and _is_alive(leases[-1]):
                raise self._busy()
            self.before = last_beat(self.folder)
            self._number = self._create((_number(leases[-1]) if leases else 0) + 1)
        try:
            self._settle()
        except BaseException:
            self._remove()
            raise
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._released.set()
        self._remove()

    @property
    def path(self) -> Path:
        return self.folder / f"claim.{self._number}"

    def check(self) -> None:
        """Raise Busy if another process has taken the run over, and StoreError if its folder was removed."""
        leases = _leases(self.folder)
        if not leases and not self.folder.exists():
            raise StoreError(
                f"{self.folder} was removed while a process worked on the run there.",
                mend="The same command starts the run again.",
            )
        if not leases or leases[-1] != self.path or _read(self.path) != self._owner:
            raise self._busy()

    def beat(self) -> datetime:
        """Renew the heartbeat; return the time of it, on the clock of the lease's file system."""
        with suppress(OSError):
            os.utime(self.path)
        return time_of(self.path) or datetime.now(UTC)

    def _create(self, number: int) -> int:
        """Create the lease of that number; return 0 if another process was faster."""
        path = self.folder / f"claim.{number}"
        with store_errors(path):
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return 0
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(json.dumps(asdict(self._owner)))
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return number

    def _settle(self) -> None:
        """Check once more, after other processes can see this lease, and remove the dead ones below it."""
        self.check()
        # Between the check and the creation a dead lease may have been removed and its number used again.
        for lower in _leases(self.folder)[:-1]:
            if _is_alive(lower):
                raise self._busy()
            lower.unlink(missing_ok=True)

    def _remove(self) -> None:
        with suppress(OSError):
            if _read(self.path) == self._owner:
                self.path.unlink()

    def _beat(self) -> None:
        while not self._released.wait(BEAT):
            with suppress(OSError):
                os.utime(self.path)

    def _busy(self) -> Busy:
        holder = holder_of(self.folder)
        if holder is None:  # it has just released the lease
            return Busy(f"another process has the run in {self.folder}.", mend="Run the command again.")
        return Busy(f"the run in {self.folder} is taken: {holder}.", mend="Wait for it, or stop it.")


def last_beat(folder: Path) -> datetime | None:
    """Return the time of the last heartbeat of the process that works or worked on the run in this folder.

    None if it has released its lease.
    """
    leases = _leases(folder)
    # Of several it is the lowest: the owner of one above it died before it removed those below, and worked on nothing.
    return time_of(leases[0]) if leases else None


def time_of(path: Path) -> datetime | None:
    """Return the time of the last change of a file, on the clock of its file system; None if there is none."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None


def is_leased(folder: Path) -> bool:
    """Return True if a live process works on the run in this folder."""
    leases = _leases(folder)
    return bool(leases) and _is_alive(leases[-1])


def holder_of(folder: Path) -> Holder | None:
    """Return the process that has leased the run in this folder; None if there is no live lease."""
    leases = _leases(folder)
    if not leases or not _is_alive(leases[-1]) or (age := _age(leases[-1])) is None:
        return None
    owner, heartbeat = _read(leases[-1]), datetime.now(UTC) - timedelta(seconds=age)
    if owner is None:
        until = heartbeat + timedelta(seconds=GRACE)
        return Holder(who="a process whose name cannot be read", since=None, until=until, heartbeat=heartbeat)
    who = f"process {owner.pid} on {owner.host.partition(' ')[0]}"
    if owner.is_stopped:
        who += f", which is stopped (`kill -CONT {owner.pid}` continues it),"
    is_mortal = owner.is_stopped or not owner.is_here
    until = heartbeat + timedelta(seconds=SILENCE)
    return Holder(who=who, since=owner.since, until=until if is_mortal else None, heartbeat=heartbeat)


def _clock(time: datetime) -> str:
    """Return a time as people read it, on the clock of this machine."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _leases(folder: Path) -> list[Path]:
    """Return the leases in a folder, the highest number last."""
    try:
        names = [entry.name for entry in os.scandir(folder) if _NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    return sorted((folder / name for name in names), key=_number)


def _number(path: Path) -> int:
    return int(path.name.rpartition(".")[2])


def _read(path: Path) -> Owner | None:
    """Return the owner in a lease, or None if the file is missing or cannot be parsed."""
    try:
        return _OWNER.validate_json(read_guarded(path, SHORT), strict=True)
    except (OSError, ValueError):  # ValidationError is a ValueError
        return None


def _is_alive(path: Path) -> bool:
    owner = _read(path)
    if owner is not None and owner.is_here:
        if not lives(owner.pid, owner.started):
            return False
        if not owner.is_stopped:
            return True
    age = _age(path)
    return age is not None and age < (GRACE if owner is None else SILENCE)


def _age(path: Path) -> float | None:
    """Return the seconds since the last heartbeat, on the clock of the lease's file system; None if it is gone."""
    probe = temporary_name(path.with_name("probe"))
    try:
        probe.write_bytes(b".")
        now = probe.stat().st_mtime
    except OSError:
        now = time.time()  # if nothing can be written, as in a read-only folder
    finally:
        with suppress(OSError):
            probe.unlink()
    try:
        age = now - path.stat().st_mtime
    except FileNotFoundError:
        return None
    if age < -AHEAD:
        with suppress(OSError):
            os.utime(path)  # from now on it gets old, unless its owner lives and goes on
    return max(0.0, age)


_OWNER = TypeAdapter(Owner)
