"""The files beside a record, compared with it cheaply: ``mtbench store verify`` compares every byte."""

import hashlib
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.store.files.reading import read_bytes, size_of, sum_of
from mtbench.store.record import Record

__all__ = ["SMALL", "absent_and_changed"]

SMALL = 32 << 10
"""Bytes up to which a file is read, and its sum compared; of a larger one only the size is."""


def absent_and_changed(folder: Path, record: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the files that a record has a sum of and that are not here, and a clause on each changed one.

    Args:
        folder: the folder of the run.
        record: its record.
    """
    absent, changed = [], []
    for name, recorded in record.files.items():
        path = folder / name
        size = size_of(path)
        if size is None:
            absent.append(name)
        elif size != record.sizes.get(name, size):
            changed.append(f"{name} has another size than the record says")
        elif _sum(path, size) not in ("", recorded):
            changed.append(f"{name} does not match its checksum in the record")
    return tuple(absent), tuple(changed)


def _sum(path: Path, size: int) -> str:
    """Return the sum of a file; empty if it takes long to compute."""
    try:
        return sum_of(path) or (hashlib.sha256(read_bytes(path)).hexdigest() if size <= SMALL else "")
    except (OSError, StoreError):
        return "unreadable"
