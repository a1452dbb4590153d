"""The files behind a change of the code or the data of a run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mtbench import registry
from mtbench.errors import MtbenchError
from mtbench.store.identity.compared import DATA, Compared
from mtbench.store.record import Record

__all__ = ["FileChange", "changed_files", "has_hashes"]


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A file that changed, or that may have.

    Attributes:
        name: the module, or the path of a data file.
        path: the file; empty if there is none now.
        recorded: the first digits of its hash in the record; empty if it has none.
        present: the same now.
        at: the time of its last change; None if there is no file.
    """

    name: str
    path: str
    recorded: str
    present: str
    at: datetime | None


def has_hashes(each: Compared) -> bool:
    """Return whether a record has the hash of each module of a part of the code; of data files it has none."""
    return bool(each.modules[0])


def changed_files(each: Compared, record: Record, root: Path) -> list[FileChange]:
    """Return the files in which a part of a run differs from its record.

    Without hashes of single files in the record these are the files that changed after the run ended.

    Args:
        each: a part, see `mtbench.store.identity.compared.compared`.
        record: the record of the run.
        root: the folder of the data files.
    """
    if each.name == DATA:
        return [change for change in _data_files(record, root) if _is_later(change, record)]
    then, now = each.modules
    changes = [_module(name, then.get(name, ""), now.get(name, "")) for name in sorted({*then, *now})]
    if has_hashes(each):
        return [change for change in changes if change.recorded != change.present]
    return [change for change in changes if _is_later(change, record)]


def _module(name: str, recorded: str, present: str) -> FileChange:
    path = registry.module_path(name) if registry.module_path(name.partition(".")[0]) or present else None
    return FileChange(name=name, path=str(path or ""), recorded=recorded, present=present, at=_time(path))


def _data_files(record: Record, root: Path) -> Iterator[FileChange]:
    from mtbench.plan.chosen import load_dataset

    try:
        files = load_dataset(record.spec.dataset, record.spec.files).open(root).fingerprint_files()
    except MtbenchError:
        return
    for path in files or ():
        yield FileChange(name=path.name, path=str(path), recorded="", present="", at=_time(path))


def _is_later(change: FileChange, record: Record) -> bool:
    """Return whether a file changed after the run ended."""
    return change.at is not None and change.at > _ended(record)


def _ended(record: Record) -> datetime:
    ended = datetime.fromisoformat(record.finished)
    return ended if ended.tzinfo else ended.replace(tzinfo=UTC)


def _time(path: Path | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(os.stat(path).st_mtime, UTC) if path else None
    except OSError:
        return None
