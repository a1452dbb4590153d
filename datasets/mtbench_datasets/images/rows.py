"""Records of decoded images: for each row of the memory map the file that it was made of, and the sum of its pixels."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import write_atomically
from .decode import Source

__all__ = [
    "Manifest",
    "Row",
    "append_rows",
    "manifest_of",
    "names_sum",
    "read_manifest",
    "read_rows",
    "write_manifest",
    "write_rows",
]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A decoded image.

    Attributes:
        index: its place in the list of files.
        source: the file as it was when it was decoded.
        sha256: the hash of its pixels.
    """

    index: int
    source: Source
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The seal of a finished cache.

    Attributes:
        names: sha256 of the names of the files, in order.
        rows: sha256 of the file of rows.
        fingerprint: sha256 of the number and the size of the images and of the sums of their pixels.
    """

    names: str
    rows: str
    fingerprint: str


def read_rows(path: Path) -> dict[int, Row]:
    """Return the rows in a file by index; for equal indices the last one. Lines that are no rows are ignored."""
    rows: dict[int, Row] = {}
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, list) and [type(field) for field in fields] == [int, str, int, int, str]:
            index, name, size, changed, sha256 = fields
            rows[index] = Row(index=index, source=Source(name=name, size=size, changed=changed), sha256=sha256)
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a file of rows in place of the existing one."""
    write_atomically(path, _lines(sorted(rows, key=lambda row: row.index)))


def append_rows(path: Path, rows: Iterable[Row]) -> None:
    """Add rows to a file; they are on disk when it returns."""
    with path.open("ab") as file:
        file.write(_lines(rows))
        file.flush()
        os.fsync(file.fileno())


def manifest_of(rows: Mapping[int, Row], size: tuple[int, int]) -> Manifest:
    """Return the seal of all rows of a cache of images of that size (H, W)."""
    ordered = [rows[index] for index in sorted(rows)]
    return Manifest(
        names=names_sum(row.source.name for row in ordered),
        rows=hashlib.sha256(_lines(ordered)).hexdigest(),
        fingerprint=_sum([len(rows), *size, *(row.sha256 for row in ordered)]),
    )


def names_sum(names: Iterable[str]) -> str:
    """Return the sha256 of names, in order."""
    return _sum(list(names))


def read_manifest(path: Path) -> Manifest | None:
    """Return the seal in a file; None if there is none, or it is damaged."""
    try:
        return Manifest(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a seal, the last file of a cache."""
    write_atomically(path, json.dumps(asdict(manifest), indent=1).encode())


def _lines(rows: Iterable[Row]) -> bytes:
    fields = ([row.index, row.source.name, row.source.size, row.source.changed, row.sha256] for row in rows)
    return b"".join(json.dumps(each).encode() + b"\n" for each in fields)


def _sum(values: list[str | int]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
