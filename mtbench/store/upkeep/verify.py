"""Every file of results against what is recorded of it: ``mtbench store verify``."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.store.files.guard import SHORT, Refused, read_guarded
from mtbench.store.files.reading import inside, is_there, read_bytes, size_of
from mtbench.store.record import Record
from mtbench.store.results import check_results
from mtbench.store.run.checkpoint import CHECKPOINT, OtherFormat, Unusable, payload
from mtbench.store.run.failure import read_failure
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import FILE as STUDY
from mtbench.store.study import JOURNAL, read_study
from mtbench.store.suites.declaration import read_declaration
from mtbench.store.suites.files import LOOKS, RESOLUTIONS, SUITES
from mtbench.store.suites.looks import read_look_plan
from mtbench.store.suites.resolutions import read_resolution
from mtbench.store.upkeep.inventory import Inventory, take_inventory

__all__ = ["ABSENT", "FOREIGN", "UNSUMMED", "WRONG", "Finding", "Verified", "check_run", "verify"]

WRONG, ABSENT, UNSUMMED, FOREIGN = "wrong", "absent", "no sum", "foreign"
"""Kinds of findings: a file is not as it was recorded; it was recorded and is not here; no sum of it was recorded; it
belongs to no run, search or suite."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A file that is not plainly as it should be.

    Attributes:
        kind: `WRONG`, `ABSENT`, `UNSUMMED` or `FOREIGN`.
        path: the file.
        why: a clause, such as ``its sum is 1234..., and its record has 5678...``; empty if the kind says it all.
    """

    kind: str
    path: Path
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The result of `verify`.

    Attributes:
        runs: number of finished runs, including superseded results.
        files: number of files, without leases and temporary files.
        size: their bytes.
        findings: all findings, in the order of the files.
    """

    runs: int
    files: int
    size: int
    findings: Sequence[Finding]

    @property
    def is_sound(self) -> bool:
        """True if no file is wrong."""
        return all(finding.kind != WRONG for finding in self.findings)


def verify(results: Path) -> Verified:
    """Read every file of a results folder or a pack, and compare it with what is recorded of it.

    Raises:
        StoreError: there is no such folder or pack, or the pack as a whole is none.
        NewerResults: a newer mtbench wrote the pack.
    """
    if not is_there(results):
        raise StoreError(f"there is no results folder or pack {results}.")
    found = take_inventory(results)
    folders = {**found.runs, **found.superseded}
    parts = [*folders.items(), *found.searches.items()]
    files = [*(f"{folder}/{name}" for folder, names in parts for name in names), *found.shared, *found.foreign]
    findings = [
        *(each for folder, names in folders.items() for each in check_run(results / folder, names)),
        *_check_rest(results, found),
    ]
    if (pack := inside(results)) is not None:
        findings += _check_sums(results, files, {finding.path for finding in findings})
    return Verified(
        runs=sum("record.json" in names for names in folders.values()),
        files=len(files),
        size=sum(size_of(results / name) or 0 for name in files) if pack is None else pack[0].path.stat().st_size,
        findings=sorted(findings, key=lambda finding: str(finding.path)),
    )


def check_run(folder: Path, names: Sequence[str]) -> Iterator[Finding]:
    """Yield what is wrong with the files of a run, or of its superseded results.

    Args:
        folder: the folder of the run.
        names: the names of its files.
    """
    run = RunFolder(folder)
    spec = None
    if "spec.json" in names:
        try:
            spec = run.spec()
        except StoreError as cause:
            yield Finding(kind=WRONG, path=folder / "spec.json", why=cause.given)
    try:
        record = run.record()
    except StoreError as cause:
        yield Finding(kind=WRONG, path=folder / "record.json", why=cause.given)
        return
    if record is None:
        yield from _check_unfinished(folder, names)
        return
    if spec is not None and record.spec.id != spec.id:
        yield Finding(kind=WRONG, path=folder / "record.json", why=f"it is of another run ({record.spec.folder})")
    yield from _check_files(folder, names, record)


def _check_files(folder: Path, names: Sequence[str], record: Record) -> Iterator[Finding]:
    for name, recorded in record.files.items():
        path = folder / name
        if name not in names:
            yield Finding(kind=ABSENT, path=path)
            continue
        try:
            found = hashlib.sha256(read_bytes(path)).hexdigest()
        except (OSError, StoreError) as cause:
            yield Finding(kind=WRONG, path=path, why=str(cause))
            continue
        if found != recorded:
            yield Finding(
                kind=WRONG, path=path, why=f"its sum is {found[:12]}..., and its record has {recorded[:12]}..."
            )
    for name in ("model.safetensors", "predictions.npz"):
        if name in names and name not in record.files:
            yield Finding(kind=UNSUMMED, path=folder / name)
    if "curve.jsonl" in names and not _is_curve(folder):
        yield Finding(kind=WRONG, path=folder / "curve.jsonl", why="it is not the curve in the record")


def _is_curve(folder: Path) -> bool:
    recorded: list[object] = json.loads(read_bytes(folder / "record.json"))["record"]["curve"]
    try:
        return [json.loads(line) for line in read_guarded(folder / "curve.jsonl").splitlines()] == recorded
    except (OSError, ValueError, StoreError):
        return False


def _check_unfinished(folder: Path, names: Sequence[str]) -> Iterator[Finding]:
    try:
        if CHECKPOINT in names:
            payload(read_bytes(folder / CHECKPOINT))
    except OtherFormat:
        yield Finding(kind=UNSUMMED, path=folder / CHECKPOINT)
    except (OSError, Unusable) as cause:
        yield Finding(kind=WRONG, path=folder / CHECKPOINT, why=str(cause))
    try:
        if "failure.json" in names:
            read_failure(read_guarded(folder / "failure.json", SHORT))
    except (OSError, StoreError, ValueError):
        yield Finding(kind=WRONG, path=folder / "failure.json", why="it cannot be read")


def _check_rest(results: Path, found: Inventory) -> Iterator[Finding]:
    """Yield what is wrong with searches, declarations and the mark, and what belongs to nothing."""
    for folder, names in found.searches.items():
        try:
            if STUDY in names:
                read_study(results / folder / STUDY)
        except StoreError as cause:
            yield Finding(kind=WRONG, path=results / folder / STUDY, why=cause.given)
        if JOURNAL in names and (why := _journal_fault(results / folder / JOURNAL)):
            yield Finding(kind=WRONG, path=results / folder / JOURNAL, why=why)
    for name in found.shared:
        try:
            if name.startswith(f"{LOOKS}/"):
                read_look_plan(results, name.removeprefix(f"{LOOKS}/").removesuffix(".json"))
            elif name.startswith(f"{RESOLUTIONS}/"):
                read_resolution(results / name)
            elif name.startswith(f"{SUITES}/"):
                read_declaration(results, name.removeprefix(f"{SUITES}/").removesuffix(".json"))
            else:
                check_results(results)
        except StoreError as cause:
            yield Finding(kind=WRONG, path=results / name, why=cause.given)
    yield from (Finding(kind=FOREIGN, path=results / name) for name in found.foreign)


def _journal_fault(path: Path) -> str:
    """Return what is wrong with the journal of a search, whose every line is a whole event; empty if nothing is."""
    try:
        lines = read_guarded(path).splitlines(keepends=True)
    except (OSError, Refused, StoreError) as cause:
        return str(cause)
    for number, line in enumerate(lines, 1):
        try:
            is_event = isinstance(json.loads(line), dict) and line.endswith(b"\n")
        except ValueError:
            is_event = False
        if not is_event:
            return f"its line {number} of {len(lines)} is no event"
    return ""


def _check_sums(results: Path, files: Sequence[str], known: set[Path]) -> Iterator[Finding]:
    """Yield the files of a pack that do not match its index, and of which nothing wrong is known yet."""
    for name in files:
        try:
            if results / name not in known:
                read_bytes(results / name)
        except (OSError, StoreError) as cause:
            yield Finding(kind=WRONG, path=results / name, why=str(cause))
