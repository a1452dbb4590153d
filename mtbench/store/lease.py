"""Leases: at most one live process works on a run, and a dead process is recognized without contacting it.

A lease is a file ``claim.N`` that was created exclusively (the name on disk is older than the word lease). It contains
a host, a process number and the process's start time; its modification time is a heartbeat. A process that finds the
lease N dead creates N + 1, and an owner that sees a higher number than its own has lost the run. So a process that was
only suspended cannot publish after another process has taken over.

A lease is dead
    if it is of this host, and no such process lives;
    if it is of another host (or container), and it had no heartbeat for `SILENCE`;
    if it cannot be read, as when its maker died between creating and writing it, after `GRACE`.
Ages are differences of two times of the file system of the lease, so that clocks need not agree.
"""

import json
import os
import platform
import re
import subprocess
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

from mtbench.errors import Busy
from mtbench.store.atomic import store_errors

__all__ = ["BEAT", "GRACE", "SILENCE", "Lease", "is_leased", "started"]

BEAT = 10.0
"""Seconds between two heartbeats."""
SILENCE = 120.0
"""Seconds without a heartbeat after which a process of another host counts as dead."""
GRACE = 10.0
"""Seconds that the creator of a lease has to write into it."""

_NAME = re.compile(r"claim\.(\d+)")


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The owner in a lease.

    Attributes:
        host: hostname, boot and process namespace; process numbers can be compared only where these are equal.
        pid: the process number.
        started: start time of the process, as the system writes it; a reused process number has another one.
        token: random text that distinguishes two leases of one process.
    """

    host: str
    pid: int
    started: str
    token: str


class Lease:
    """The right to work on the run in a folder for the duration of the block.

    ::

        with Lease(folder) as lease:
            ...
            lease.check()  # before anything is written

    Raises:
        Busy: another live process has the lease.
        StoreError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        self._owner = Owner(host=_host(), pid=os.getpid(), started=started(os.getpid()) or "", token=uuid.uuid4().hex)
        self._released = threading.Event()

    def __enter__(self) -> "Lease":
        while self._number == 0:
            leases = _leases(self.folder)
            if leases and _is_alive(leases[-1]):
                raise self._busy()
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
        """Raise Busy if another process has taken the run over."""
        leases = _leases(self.folder)
        if not leases or leases[-1] != self.path or _read(self.path) != self._owner:
            raise self._busy()

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
        leases = _leases(self.folder)
        owner = _read(leases[-1]) if leases else None
        who = f"process {owner.pid} on {owner.host.partition(' ')[0]}" if owner else "another process"
        return Busy(f"{who} is working on the run in {self.folder}.", mend="Wait for it, or stop it.")


def is_leased(folder: Path) -> bool:
    """Return True if a live process works on the run in this folder."""
    leases = _leases(folder)
    return bool(leases) and _is_alive(leases[-1])


def started(pid: int) -> str | None:
    """Return the start time of a process of this host, as the system writes it; None if it is not alive."""
    if Path("/proc/self/stat").exists():
        try:
            # The command's name, the second field, is in parentheses and may contain anything.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, since = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else since.strip()


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
        return Owner(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _is_alive(path: Path) -> bool:
    owner = _read(path)
    if owner is not None and owner.host == _host():
        return started(owner.pid) == owner.started
    age = _age(path)
    return age is not None and age < (GRACE if owner is None else SILENCE)


def _age(path: Path) -> float | None:
    """Return the seconds since the last heartbeat, on the clock of the lease's file system; None if it is gone."""
    probe = path.with_name(f".probe-{uuid.uuid4().hex}")
    try:
        probe.write_bytes(b".")
        now = probe.stat().st_mtime
    except OSError:
        now = time.time()  # if nothing can be written, as in a read-only folder
    finally:
        with suppress(OSError):
            probe.unlink()
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return None


@cache
def _host() -> str:
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
