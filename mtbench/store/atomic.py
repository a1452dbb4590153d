"""Files that are written completely or not at all, even if the process is killed or the power fails."""

import errno
import os
import re
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mtbench.errors import StoreError

__all__ = ["make_folder", "store_errors", "sweep", "write_bytes", "write_text", "writing"]

ABANDONED = 3600.0
"""Seconds after which a temporary file of an unknown owner counts as left by a crash."""

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+-[0-9a-f]{32}\.tmp")
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
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write to, which replaces `path` when the block ends, and is removed if the block fails.

    Raises:
        StoreError: the file cannot be written; the text names the file, the reason and the remedy.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex}.tmp")
    with store_errors(path):
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by these bytes, atomically and durably.

    Raises:
        StoreError: see `writing`.
    """
    with writing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by this text in UTF-8, atomically and durably.

    Raises:
        StoreError: see `writing`.
    """
    write_bytes(path, text.encode())


def make_folder(path: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises:
        StoreError: see `writing`.
    """
    with store_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def sweep(folder: Path, names: Collection[str]) -> None:
    """Remove temporary files that crashes left behind.

    Args:
        names: the files that only the caller may write now, so that a temporary file for them has no owner. Temporary
            files for others are removed when they are an hour old.
    """
    for path in folder.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match is None:
            continue
        with suppress(OSError):
            if match["name"] in names or time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()


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
