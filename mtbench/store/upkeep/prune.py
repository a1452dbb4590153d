"""Files that nobody needs any more: found, and removed on request."""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import Busy
from mtbench.store.files.atomic import litter, store_errors
from mtbench.store.files.reading import refuse_pack
from mtbench.store.preparation import leftovers
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from mtbench.store.status import survey
from mtbench.store.upkeep.inventory import take_inventory

__all__ = ["CACHES", "KINDS", "STALE", "SUPERSEDED", "TEMPORARY", "Removable", "find_removable", "remove"]

SUPERSEDED, STALE, TEMPORARY, CACHES = "superseded", "stale", "temporary", "caches"
KINDS = {
    SUPERSEDED: "earlier results of runs that were retrained",
    STALE: "finished runs of which the code or the data changed since",
    TEMPORARY: "temporary files of processes that are dead",
    CACHES: "images in the folder of the data, which the next run makes again from the original files",
}
"""Kinds of files that can be removed, with their meanings."""
IMAGES = "images"
"""The folder below the data root with the caches of images: for each several files of one stem, one of them a lock."""


@dataclass(frozen=True, kw_only=True)
class Removable:
    """Files that can be removed together.

    Attributes:
        kind: one of `KINDS`.
        path: the folder or the file.
        size: its bytes.
        why: the reason, for a stale run.
        is_data: True for a file of a dataset that was not finished.
    """

    kind: str
    path: Path
    size: int
    why: str = ""
    is_data: bool = False


def find_removable(
    results: Path, root: Path, kinds: Collection[str], *, reports: Path | None = None
) -> list[Removable]:
    """Return what can be removed, by kind and path; nothing that is reached by a link out of the folders.

    Args:
        results: the results folder.
        root: the folder of the data files.
        kinds: the kinds to look for, of `KINDS`.
        reports: a folder with folders of reports; only temporary files are looked for there.

    Raises:
        StoreError, NewerResults: the folder cannot be read, or is a pack.
    """
    refuse_pack(results)
    found = take_inventory(results)
    removable: list[Removable] = []
    if STALE in kinds:
        for run in survey(results, root):
            if run.state == "stale":
                removable.append(Removable(kind=STALE, path=run.folder, size=_size(run.folder), why=run.why))
    stale = {each.path for each in removable}
    if SUPERSEDED in kinds:
        for name in found.superseded:
            path = results / name
            if path.parent not in stale:
                removable.append(Removable(kind=SUPERSEDED, path=path, size=_size(path)))
    if TEMPORARY in kinds:
        folders = {(results / name).parent for name in found.passing} - stale
        folders |= {Path(folder) for folder, _, _ in os.walk(reports)} if reports else set()
        for folder in folders:
            removable += [Removable(kind=TEMPORARY, path=path, size=_size(path)) for path in litter(folder)]
        with leftovers(root) as paths:
            removable += [Removable(kind=TEMPORARY, path=path, size=_size(path), is_data=True) for path in paths]
    if CACHES in kinds:
        removable += [Removable(kind=CACHES, path=path, size=_size(path)) for path in _caches(root / IMAGES)]
    order, within = list(KINDS), [place.resolve() for place in (results, root, reports) if place]
    own = [each for each in removable if any(each.path.resolve().is_relative_to(place) for place in within)]
    return sorted(own, key=lambda each: (order.index(each.kind), str(each.path)))


def remove(removable: Sequence[Removable], results: Path, root: Path) -> list[Removable]:
    """Remove files, and the folders above that are empty then; return those that are in use now and were left.

    Of a run the record goes first: if the process is killed meanwhile, the run counts as not finished.

    Args:
        removable: the result of `find_removable`.
        results: the results folder.
        root: the folder of the data files.

    Raises:
        StoreError: something cannot be removed.
    """
    left = []
    if unfinished := [each for each in removable if each.is_data]:
        with leftovers(root) as still:
            for each in unfinished:
                with store_errors(each.path):
                    if each.path in still:
                        _remove(each.path)
                    elif each.path.exists():
                        left.append(each)
    for each in removable:
        if each.is_data:
            continue
        with store_errors(each.path):
            if each.kind == STALE:
                try:
                    with leased(RunFolder(each.path)):
                        (each.path / "record.json").unlink(missing_ok=True)
                        for path in each.path.iterdir():
                            if not path.name.startswith("claim."):
                                _remove(path)
                except Busy:
                    left.append(each)
                    continue
                _remove_empty(each.path, results)
            else:
                _remove(each.path)
    return left


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(folder: Path, results: Path) -> None:
    with suppress(OSError):  # one that is not empty stays
        while folder != results:
            folder.rmdir()
            folder = folder.parent


def _caches(folder: Path) -> Iterator[Path]:
    """Yield the files of caches of images that no process writes now."""
    for path in sorted(folder.glob("*")):
        if path.suffix != ".lock" and path.is_file() and not _is_locked(path.with_suffix(".lock")):
            yield path


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(os.lstat(Path(place) / name).st_size for place, _, names in os.walk(path) for name in names)
