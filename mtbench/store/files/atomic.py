"""Files that are written completely or not at all, even if the process is killed or the power fails."""

import errno
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mtbench.errors import StoreError
from mtbench.store.files.process import is_gone, signature

__all__ = ["litter", "make_folder", "store_errors", "sweep", "temporary_name", "write_bytes", "write_text", "writing"]

ABANDONED = 86400.0
"""Seconds without a write after which a temporary file of another host counts as left by a crash."""

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<owner>[0-9a-f]{12}-\d+-[0-9a-f]{8})-[0-9a-f]{8}\.tmp")
_EARLIER = re.compile(r"\.(?P<name>.+)\.\d+-[0-9a-f]{32}\.tmp")
"""Temporary files of earlier versions, whose names do not identify a process."""
_MEND = {
    errno.EACCES: "Make it writable for you, or give another folder with --results or --out.",
    errno.EPERM: "Make it writable for you, or give another folder with --results or --out.",
    errno.EROFS: "The file system is read-only: give a folder elsewhere with --results or --out.",
    errno.ENOSPC: "The disk is full: free some space; the same command then resumes.",
    errno.EDQUOT: "Your quota is used up: free some space; the same command then resumes.",
    errno.ENOTDIR: "Something on that path is a file, not a folder: give another folder with --results or --out.",
    errno.EEXIST: "Something on that path is a file, not a folder: give another folder with --results or --out.",
}


@contextmanager
def writing(path: Path, check: Callable[[], None] = lambda: None) -> Iterator[BinaryIO]:
    """Open a file to write to, which replaces `path` when the block ends, and is removed if the block fails.

    Args:
        check: called right before the replacement, which does not happen if it raises.

    Raises:
        StoreError: the file cannot be written, or is a device; the text names the file, the reason and the remedy.
    """
    temporary = temporary_name(path)
    with store_errors(path):
        if _is_special(path):  # root would put a file in its place, for all programs
            raise StoreError(f"{path} is a device, a pipe or a socket, and is not replaced.", mend="Name a file.")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            check()
            os.replace(temporary, path)
            _sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes, check: Callable[[], None] = lambda: None) -> None:
    """Replace `path` by these bytes, atomically and durably.

    Args:
        check: see `writing`.

    Raises:
        StoreError: see `writing`.
    """
    with writing(path, check) as file:
        file.write(data)


def write_text(path: Path, text: str, check: Callable[[], None] = lambda: None) -> None:
    """Replace `path` by this text in UTF-8, atomically and durably.

    Args:
        check: see `writing`.

    Raises:
        StoreError: see `writing`.
    """
    write_bytes(path, text.encode(), check)


def temporary_name(path: Path) -> Path:
    """Return a new name beside `path` for a file of this process that `sweep` removes once the process is dead."""
    return path.with_name(f".{path.name}.{signature()}-{uuid.uuid4().hex[:8]}.tmp")


def make_folder(path: Path) -> None:
    """Make a folder and its parents, unless they exist; from one that exists, `sweep` what crashes left behind.

    Raises:
        StoreError: see `writing`.
    """
    with store_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    sweep(path)


def sweep(folder: Path, names: Collection[str] = ()) -> None:
    """Remove temporary files that crashes left behind.

    The name of a temporary file identifies its process. One of a dead process of this host is removed, one of a living
    process is not. Whether a process of another host lives is unknown: its files are removed `ABANDONED` seconds after
    the last write to them.

    Args:
        names: the files that only the caller may write now, since it has the lease, so that a temporary file for them
            has no owner.
    """
    for path in litter(folder, names):
        with suppress(OSError):
            path.unlink()


def litter(folder: Path, names: Collection[str] = ()) -> list[Path]:
    """Return the temporary files in a folder that `sweep` would remove.

    Args:
        names: see `sweep`.
    """
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name) or _EARLIER.fullmatch(entry.name)
            if match and (match["name"] in names or _is_litter(entry, match.groupdict().get("owner"))):
                found.append(folder / entry.name)
    return found


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn an OSError within the block into a StoreError about `path`."""
    try:
        yield
    except OSError as cause:
        raise StoreError(
            f"{path} cannot be written: {cause.strerror or cause}.",
            mend=_MEND.get(cause.errno or 0, ""),
        ) from cause


def _is_special(path: Path) -> bool:
    """Return True for something that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _is_litter(entry: "os.DirEntry[str]", owner: str | None) -> bool:
    is_dead = None if owner is None else is_gone(owner)
    if is_dead is None:
        with suppress(FileNotFoundError):
            return time.time() - entry.stat().st_mtime > ABANDONED
    return bool(is_dead)


def _sync_folder(folder: Path) -> None:
    # A renamed file survives a power failure only after its folder is on disk too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as cause:
        if cause.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems sync no folders
            raise
    finally:
        os.close(descriptor)
