"""Packs and several results written as a folder of runs."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from mtbench.errors import StoreError, shortlist
from mtbench.store.files.atomic import make_folder, write_bytes
from mtbench.store.files.reading import inside, read_bytes, refuse_pack, size_of, sum_of
from mtbench.store.pack.index import refused_name
from mtbench.store.trust import VERIFIED
from mtbench.store.upkeep.space import check_space

__all__ = ["missing", "unpack", "write_folder"]


def unpack(pack: Path) -> dict[str, Path]:
    """Return the files of a pack by their path in it, for `write_folder`.

    Levels of trust, which no pack of mtbench contains, are left out: each reader earns them.

    Raises:
        StoreError: there is no such pack, or it is none.
    """
    found = inside(pack)
    if found is None or found[1]:
        raise StoreError(f"there is no pack {pack}.")
    return {name: pack / name for name in found[0].index.members if not name.endswith(VERIFIED)}


def missing(folder: Path, members: Mapping[str, Path]) -> dict[str, Path]:
    """Return those of some files that a folder does not have yet.

    Args:
        folder: the folder, existing or not.
        members: the files by their path below the folder; they may lie in packs.

    Raises:
        StoreError: the folder has another file of a name, or a name would lead out of the folder, by itself or through
            a link.
    """
    refuse_pack(folder)
    if why := refused_name(members):
        raise StoreError(f"{folder} is not written: {why}.")
    links = {each for name in members for each in (folder / name, *_between(folder, name)) if each.is_symlink()}
    if links:
        raise StoreError(
            f"{folder} is not written: a link may lead out of it ({shortlist(map(str, sorted(links)), most=3)}).",
            mend="Give another folder.",
        )
    wanted, other = {}, []
    for name, path in members.items():
        target = folder / name
        if target == path:
            continue
        if not target.exists():
            wanted[name] = path
        elif size_of(target) != size_of(path) or _sum(target) != (sum_of(path) or _sum(path)):
            other.append(str(target))
    if other:
        raise StoreError(
            f"{folder} is not written: {len(other)} files there have another content ({shortlist(other, most=3)}).",
            mend="Give another folder; `mtbench store merge` compares runs.",
        )
    return wanted


def write_folder(folder: Path, members: Mapping[str, Path]) -> None:
    """Write files into a folder, each whole or not at all, and the record of a run after its other results.

    Args:
        folder: the folder; it is made if need be.
        members: the files, see `missing`.

    Raises:
        StoreError: see `missing`; or the disk has no room for them, or one cannot be read or written. A file that does
            not match its sum in a pack is not written.
    """
    wanted = missing(folder, members)
    check_space(folder, sum(size_of(path) or 0 for path in wanted.values()))
    for name, path in sorted(wanted.items(), key=lambda each: (each[0].endswith("/record.json"), each[0])):
        try:
            content = read_bytes(path)
        except OSError as cause:
            raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.") from cause
        make_folder((folder / name).parent)
        write_bytes(folder / name, content)


def _between(folder: Path, name: str) -> list[Path]:
    """Return the folders between a folder and a file below it."""
    return [folder / Path(*Path(name).parts[:count]) for count in range(1, len(Path(name).parts))]


def _sum(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
