"""Sums of files, computed once: by the command that prepares the data, for the processes of all its runs.

A sum belongs to a file in one state: its path, inode, size and time of change. A file in another state is read again,
so that the next reader notices a file that was altered meanwhile.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

__all__ = ["Sums", "known_sums", "learn_sums", "read_summed"]

State: TypeAlias = tuple[str | int, ...]
Sums: TypeAlias = Mapping[State, str]
"""Sums by the algorithm and the state of the file."""

SETTLED = 2_000_000_000
"""Nanoseconds since a file changed after which its next change has another time on any file system."""

_KNOWN: dict[State, str] = {}


def read_summed(path: Path, algorithm: str) -> tuple[bytes, str]:
    """Return the content of a file and its sum in hexadecimal digits.

    Args:
        algorithm: a name of hashlib, e.g. ``sha256``.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        before = _state(file)
        content = file.read()
        undisturbed = _state(file) == before
    state: State = (algorithm, str(path), *before)
    if undisturbed and state in _KNOWN:
        return content, _KNOWN[state]
    found = hashlib.new(algorithm, content).hexdigest()
    if undisturbed and time.time_ns() - before[-1] > SETTLED:
        _KNOWN[state] = found
    return content, found


def known_sums() -> Sums:
    """Return the sums that this process knows, for another process to learn."""
    return dict(_KNOWN)


def learn_sums(sums: Sums) -> None:
    """Add sums that another process of the same command has computed."""
    _KNOWN.update(sums)


def _state(file: BinaryIO) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
