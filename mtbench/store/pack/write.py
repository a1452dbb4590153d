"""A pack written: the same bytes for the same members, on any machine."""

import hashlib
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from mtbench import __version__
from mtbench.errors import MtbenchError, StoreError, UsageError, shortlist
from mtbench.store.files.atomic import make_folder, writing
from mtbench.store.files.reading import read_bytes, size_of
from mtbench.store.pack.archive import Pack
from mtbench.store.pack.index import INDEX, SUFFIX, Index, Member, refused_name, render_index
from mtbench.store.results import MARKER
from mtbench.store.upkeep.space import check_space

__all__ = ["REPLACED", "check_pack_name", "pack_size", "write_pack"]

REPLACED = (MARKER, "suites/", "searches/")
"""Beginnings of the names of members that a new pack may have in another form than the one that it replaces."""

_MODE = stat.S_IFREG | 0o644
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time in a zip file, that of every member, so that the bytes tell nothing of when they were written."""
_HEADERS = 512
"""Bytes that a member needs besides its content and twice its name: two headers, and its line in the index."""


def check_pack_name(file: Path) -> None:
    """Refuse a name that is none of a pack.

    Raises:
        UsageError: it does not end with ``.zip``.
    """
    if file.suffix != SUFFIX:
        raise UsageError(f"{file} is no name of a pack.", allowed=f"Allowed: a file that ends with {SUFFIX}.")


def pack_size(members: Mapping[str, Path]) -> int:
    """Return the bytes that a pack of these files needs at most."""
    return sum((size_of(path) or 0) + _HEADERS + 3 * len(name.encode()) for name, path in members.items())


def write_pack(file: Path, members: Mapping[str, Path], left_out: Mapping[str, str], *, keep: bool = True) -> Index:
    """Write a pack, whole or not at all; one that is there is replaced.

    Args:
        file: the pack; its folder is made if need be.
        members: the files by their path in the pack; they may lie in packs.
        left_out: the reason for each file or folder that is not in the pack, by its path.
        keep: True to replace a pack only if its runs are in the new one with the same files.

    Returns:
        the index of the pack.

    Raises:
        StoreError: it cannot be read or written, the disk has no room for it, or runs in the present one would be lost.
    """
    check_pack_name(file)
    if why := refused_name([*members, INDEX]):
        raise StoreError(f"{file} cannot be written: {why}.")
    present = _present(file) if keep else {}
    check_space(file, pack_size(members))
    make_folder(file.parent)
    with writing(file) as stream:
        index = _write(stream, members, left_out)
        _check_kept(file, present, index.members)
    return index


def _write(stream: BinaryIO, members: Mapping[str, Path], left_out: Mapping[str, str]) -> Index:
    written: dict[str, Member] = {}
    with ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(members.items()):
            try:
                content = read_bytes(path)
            except OSError as cause:
                raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.") from cause
            archive.writestr(_info(name), content)
            written[name] = Member(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        index = Index(made_by=f"mtbench {__version__}", members=written, left_out=dict(sorted(left_out.items())))
        archive.writestr(_info(INDEX), render_index(index))
    return index


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, _EARLIEST)
    info.create_system = 3  # Unix, on every system
    info.external_attr = _MODE << 16
    return info


def _present(file: Path) -> Mapping[str, Member]:
    """Return the members of the pack that is replaced; none if there is none."""
    if not file.exists():
        return {}
    try:
        return Pack(file).index.members
    except MtbenchError as cause:
        raise StoreError(
            f"{file} is not replaced: {cause.given}", mend="Move it away, or give another name."
        ) from cause


def _check_kept(file: Path, present: Mapping[str, Member], written: Mapping[str, Member]) -> None:
    lost = [name for name, member in present.items() if written.get(name) != member and not name.startswith(REPLACED)]
    if lost:
        raise StoreError(
            f"{file} is not replaced: {len(lost)} of its files would be lost or changed ({shortlist(lost, most=3)}).",
            mend=f"Keep them with `mtbench store merge {file} ... --out {file}` (and --weights, if it has weights), or "
            "move it away first.",
        )
