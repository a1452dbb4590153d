"""Packs of evidence: ``results/<name>/<day>.zip`` has the runs that finished on that day (UTC).

So a pack no longer changes once its day is over, and the history of the repository grows by new runs alone. A run that
is retrained moves to the pack of its new day. Searches, which change while they go on, are in ``searches.zip``.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from mtbench.store.files.reading import read_bytes
from mtbench.store.pack.archive import Pack
from mtbench.store.pack.contents import Contents, collect
from mtbench.store.pack.unpack import unpack, write_folder
from mtbench.store.pack.write import write_pack
from mtbench.store.results import MARKER
from mtbench.store.run.folder import RunFolder
from mtbench.store.suites.declaration import SUITES, read_declaration
from mtbench.store.suites.files import RESOLUTIONS
from mtbench.store.suites.resolutions import read_resolution

__all__ = ["LARGEST", "SEARCHES", "add", "prepare"]

LARGEST = 1_000_000
"""Bytes of the largest file of predictions that is kept: of maps they have 20 MB a run."""
SEARCHES = "searches"
"""The stem of the pack of searches."""
Value = TypeVar("Value")


def prepare(work: Path, kept: Path) -> None:
    """Make the folder that a part is trained into from its packs and declarations, unless it is there.

    Args:
        work: the folder to train into.
        kept: the folder of the packs.

    Raises:
        StoreError: a pack is damaged, two have different records of one run, or the disk has no room.
    """
    if not work.exists():
        begun = work.with_name(f".{work.name}.begun")  # a folder that was not finished is not taken for a whole one
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        for pack in sorted(kept.glob("*.zip")):
            members = {name: path for name, path in unpack(pack).items() if not _is_declared(name)}
            # Every pack has the mark, and resolutions, which never change.
            write_folder(
                begun,
                {name: path for name, path in members.items() if not (_is_shared(name) and (begun / name).exists())},
            )
        begun.rename(work)
    shared = {f"{SUITES}/{path.name}": path for path in sorted((kept / SUITES).glob("*.json"))}
    write_folder(work, shared)


def add(work: Path, kept: Path) -> list[Path]:
    """Write the finished runs and the searches of a folder into packs, and return the packs that changed.

    A run that is in a pack and not in the folder stays where it is. A pack with the same files stays as it is, whatever
    release wrote it.

    Args:
        work: the folder that was trained into.
        kept: the folder of the packs.

    Raises:
        StoreError: a file does not match its sum, or cannot be read or written.
    """
    found = collect(work, weights=False, largest=LARGEST)
    before = {pack.stem: collect(pack, weights=True) for pack in sorted(kept.glob("*.zip"))}
    days: dict[str, dict[str, Path]] = {}
    left_out: dict[str, dict[str, str]] = {}
    for name, folder in found.runs.items():
        day = _day(found.run(name))
        if day in before and name in before[day].runs:  # what it lists as left out may be gone by now
            _take(folder, before[day], {}, left_out.setdefault(day, {}))
        _take(folder, found, days.setdefault(day, {}), left_out.setdefault(day, {}))
    for stem, there in before.items():
        for name, folder in there.runs.items():
            if name not in found.runs:
                _take(folder, there, days.setdefault(stem, {}), left_out.setdefault(stem, {}))
    for folder in found.searches.values():
        _take(folder, found, days.setdefault(SEARCHES, {}), {})
    shared = {name: path for name, path in found.members.items() if _is_shared(name)}
    written = []
    # The latest first: a run that was retrained is in its new pack before it leaves the old one.
    for stem, members in sorted(days.items(), reverse=True):
        of_day = {name: path for name, path in shared.items() if _is_of(name, work, stem)}
        pack = kept / f"{stem}.zip"
        reasons = {name: why for name, why in left_out.get(stem, {}).items() if name not in members}
        if stem not in before or not _has(pack, {**members, **of_day}, reasons):
            write_pack(pack, {**members, **of_day}, reasons, keep=False)
            written.append(pack)
    for stem in before.keys() - days.keys():
        (kept / f"{stem}.zip").unlink()
    return sorted(written)


def _has(pack: Path, members: Mapping[str, Path], left_out: Mapping[str, str]) -> bool:
    """Return True if a pack has these files and no others."""
    index = Pack(pack).index
    there = {name: member.sha256 for name, member in index.members.items()}
    sums = {name: hashlib.sha256(read_bytes(path)).hexdigest() for name, path in members.items()}
    return there == sums and index.left_out == left_out


def _take(folder: str, found: Contents, members: dict[str, Path], left_out: dict[str, str]) -> None:
    """Add the files of a run or a search to those of a pack."""
    members.update(_below(folder, found.members))
    left_out.update(_below(folder, found.left_out))


def _below(folder: str, named: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in named.items() if name.startswith(f"{folder}/")}


def _day(run: Path) -> str:
    record = RunFolder(run).record()
    assert record is not None
    return record.finished.partition("T")[0]


def _is_shared(name: str) -> bool:
    return name == MARKER or name.startswith(f"{SUITES}/")


def _is_declared(name: str) -> bool:
    """Return True for declarations and plans of looks, which are kept beside the packs."""
    return name.startswith(f"{SUITES}/") and not name.startswith(f"{RESOLUTIONS}/")


def _is_of(name: str, work: Path, stem: str) -> bool:
    """Return True if a pack has this file: the mark, and declarations and resolutions that were made by its day."""
    if name == MARKER:
        return True
    if name.startswith(f"{RESOLUTIONS}/"):
        resolution = read_resolution(work / name)
        return resolution is not None and resolution.at.partition("T")[0] <= stem
    declared = read_declaration(work, Path(name).stem)
    return declared is not None and declared.at.partition("T")[0] <= stem
