"""A pack opened for reading. What is not a pack as mtbench writes them is refused by name before any member is read.

A member is stored without compression, so that reading is a seek and a small file cannot become a large one. Each is
compared with its sum in the index when it is read.
"""

import hashlib
import os
import stat
import struct
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from mtbench.errors import DamagedRecord, StoreError
from mtbench.store.pack.index import INDEX, LARGEST, Index, read_index, refused_name

__all__ = ["Pack", "open_pack"]

_ENCRYPTED = 0x1
_HEADER = struct.Struct("<26xHH")
"""The header before the content of a member, with the lengths of its name and of further fields, which follow."""


class Pack:
    """A pack opened for reading.

    Args:
        path: the file.

    Attributes:
        path: the file.
        index: its index.

    Raises:
        StoreError: it cannot be read, or is no pack; the text says what is wrong.
        NewerResults: a newer mtbench wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as cause:
            raise self._unreadable(cause) from cause
        self._close = weakref.finalize(self, os.close, self._file)
        try:
            with os.fdopen(os.dup(self._file), "rb") as file, ZipFile(file) as archive:
                infos = archive.infolist()
            self._begins = {info.filename: info.header_offset for info in infos}
            self.index = self._read_index(infos)
        except OSError as cause:
            raise self._unreadable(cause) from cause
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error) as cause:
            raise StoreError(
                f"{self.path} is no pack, or is damaged: {cause}.",
                mend="Give a file that `mtbench store pack` wrote, or copy it again.",
            ) from cause

    def read(self, name: str) -> bytes:
        """Return the content of a member.

        Raises:
            FileNotFoundError: there is no such member.
            DamagedRecord: it does not match its sum in the index.
        """
        member = self.index.members.get(name)
        if member is None:
            raise FileNotFoundError(2, os.strerror(2), str(self.path / name))
        content = self._content(self._begins[name], member.size)
        if hashlib.sha256(content).hexdigest() != member.sha256:
            raise DamagedRecord(
                f"{self.path / name} is damaged: it does not match its sum in the index.", mend="Copy the pack again."
            )
        return content

    def size(self, name: str) -> int | None:
        """Return the number of bytes of a member; None if there is none."""
        member = self.index.members.get(name)
        return None if member is None else member.size

    def below(self, folder: str) -> Iterator[str]:
        """Yield the paths of all members below a folder of the pack, relative to the folder; all for an empty one."""
        begin = f"{folder}/" if folder else ""
        return (name.removeprefix(begin) for name in self.index.members if name.startswith(begin))

    def _content(self, begin: int, size: int) -> bytes:
        """Return the content of the member whose header begins there; fewer bytes if the file ends before."""
        header = os.pread(self._file, _HEADER.size, begin)
        lengths = _HEADER.unpack(header) if len(header) == _HEADER.size else (0, 0)
        begin += _HEADER.size + sum(lengths)
        parts: list[bytes] = []
        while size and (part := os.pread(self._file, size, begin)):  # one call reads at most 2 GiB
            parts.append(part)
            begin, size = begin + len(part), size - len(part)
        return b"".join(parts)

    def _read_index(self, infos: Sequence[ZipInfo]) -> Index:
        if why := refused_name(info.orig_filename for info in infos) or next(filter(None, map(_refused, infos)), ""):
            raise ValueError(why)
        size = os.fstat(self._file).st_size
        if sum(info.file_size for info in infos) > size:
            raise ValueError("its members are larger than the file")
        if not all(0 <= info.header_offset <= size for info in infos):
            raise ValueError("a member lies outside of the file")
        of_index = [info for info in infos if info.filename == INDEX]
        if not of_index:
            raise ValueError(f"it has no {INDEX}")
        if of_index[0].file_size > LARGEST:
            raise ValueError(f"its index has {of_index[0].file_size:,} bytes, and {LARGEST:,} are allowed")
        index = read_index(self._content(self._begins[INDEX], of_index[0].file_size), str(self.path))
        listed = {name: member.size for name, member in index.members.items()}
        found = {info.filename: info.file_size for info in infos if info.filename != INDEX}
        if listed != found:
            name = next(name for name in sorted({*listed, *found}) if listed.get(name) != found.get(name))
            raise ValueError(f"its index and its member {name!r} do not agree")
        return index

    def _unreadable(self, cause: OSError) -> StoreError:
        return StoreError(f"{self.path} cannot be read: {cause.strerror or cause}.")


def open_pack(path: str) -> Pack | None:
    """Return a pack, which stays open for the next calls until the file is replaced; None if there is no such file.

    Raises:
        StoreError, NewerResults: see `Pack`.
    """
    try:
        state = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return _opened(path, state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _opened(path: str, inode: int, size: int, changed: int) -> Pack:  # noqa: ARG001
    return Pack(Path(path))


def _refused(info: ZipInfo) -> str:
    """Return why a member is none of a pack; an empty text if it may be one."""
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return f"its member {info.filename!r} is compressed"
    if info.flag_bits & _ENCRYPTED:
        return f"its member {info.filename!r} is encrypted"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return f"its member {info.filename!r} is a link or another special file"
    return ""
