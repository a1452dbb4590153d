"""Identity of processes, for files that only a living process owns.

A process is known by its host, its number and its start time, since numbers are used again.
"""

import hashlib
import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["host", "is_gone", "is_stopped", "lives", "signature", "started"]


@cache
def host() -> str:
    """Return hostname, boot and process namespace; process numbers can be compared only where these are equal."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def started(pid: int) -> str | None:
    """Return the start time of a process of this host, as the system writes it; None if it is not alive."""
    state, since = _state(pid)
    return None if state in "ZX" else since


def lives(pid: int, since: str) -> bool:
    """Return True if the process of this host with this number and start time is alive.

    One that the system hides, since it is another user's, counts as alive.
    """
    found = started(pid)
    return _is_hidden(pid) if found is None else found == since


def is_stopped(pid: int) -> bool:
    """Return True if a process of this host is stopped, as by Ctrl-Z or SIGSTOP, so that it does nothing."""
    return _state(pid)[0] in "Tt"


def signature() -> str:
    """Return a text that identifies this process in the name of a file."""
    pid = os.getpid()
    return _signature(host(), pid, _own_start(pid))


def is_gone(signature: str) -> bool | None:
    """Return True if the process of a signature has ended, and False if it lives; None if it is of another host."""
    place, number, _ = signature.split("-")
    if place != _digest(host(), 12):
        return None
    since = started(int(number))
    if since is None:
        return not _is_hidden(int(number))
    return _signature(host(), int(number), since) != signature


@cache
def _own_start(pid: int) -> str:  # by number, since a forked process is another one
    return started(pid) or ""


def _signature(place: str, pid: int, since: str) -> str:
    return f"{_digest(place, 12)}-{pid}-{_digest(since, 8)}"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _state(pid: int) -> tuple[str, str]:
    """Return the state of a process, as a letter, and its start time; the state X if there is no such process."""
    if Path("/proc/self/stat").exists():
        try:
            # The command's name, the second field, is in parentheses and may contain anything.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return "X", ""
        return fields[0], fields[19]
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, since = answer.stdout.strip().partition(" ")
    return state[:1] or "X", since.strip()


def _is_hidden(pid: int) -> bool:
    """Return True if there is such a process that this user may not see; a dead one that is a zombie is seen."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not Path(f"/proc/{pid}/stat").exists()
    except (OSError, OverflowError):
        pass
    return False
