"""Files with a known sum of their content: read only if it is right, written so that no reader sees a part."""

import hashlib
import os
import uuid
from pathlib import Path

from mtbench.contract.sums import read_summed
from mtbench.errors import DataError

__all__ = ["read_checked", "read_with_sum", "sum_beside", "with_sum", "write_atomically", "write_with_sum"]

WHERE = "The data root is set by --data-root or MTBENCH_DATA."


def read_checked(path: Path, algorithm: str, expected: str, owner: str) -> bytes:
    """Return the bytes of a file that has the expected sum.

    Raises:
        DataError: it is missing, truncated or altered; the text names the command that mends it for dataset `owner`.
    """
    mend = f"`mtbench data prepare {owner}` mends it."
    try:
        content, found = read_summed(path, algorithm)
    except OSError as cause:
        state = "is missing" if isinstance(cause, FileNotFoundError) else f"cannot be read ({cause.strerror})"
        raise DataError(f"{path} {state}; its {algorithm} is to be {expected}.", mend=mend, where=WHERE) from None
    if found != expected:
        raise DataError(
            f"{path} is truncated or altered: the {algorithm} of its {len(content)} bytes is {found}, "
            f"expected {expected}.",
            mend=mend,
            where=WHERE,
        )
    return content


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader at the same time, or after a crash, finds either the new or the old content.

    Raises:
        DataError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as cause:
        raise DataError(
            f"{path} cannot be written: {cause.strerror}.",
            mend="Choose a folder that can be, with --data-root or MTBENCH_DATA.",
        ) from None


def write_with_sum(path: Path, content: bytes) -> None:
    """Write a file, and its sha256 beside it, as ``sha256sum --check`` reads it; errors as in `write_atomically`."""
    line = f"{hashlib.sha256(content).hexdigest()}  {path.name}\n"
    write_atomically(path, content)
    write_atomically(_sidecar(path), line.encode())


def sum_beside(path: Path) -> str:
    """Return the expected sha256 of a file written by `write_with_sum`; empty if there is no such file or no sum."""
    try:
        return _sidecar(path).read_text(encoding="ascii")[:64] if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ""


def with_sum(path: Path) -> tuple[Path, Path]:
    """Return a file that is written by `write_with_sum` and the one beside it that has its sum."""
    return path, _sidecar(path)


def read_with_sum(path: Path, owner: str) -> bytes:
    """Return the bytes of a file that was written by `write_with_sum`; errors as in `read_checked`."""
    expected = sum_beside(path)
    if not expected:
        raise DataError(
            f"{path} or its sum {_sidecar(path).name} is missing.",
            mend=f"`mtbench data prepare {owner}` mends it.",
            where=WHERE,
        )
    return read_checked(path, "sha256", expected, owner)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".sha256")
