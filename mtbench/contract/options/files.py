"""Options that are files, identified by the hash of their content, wherever they are stored.

    @dataclass(frozen=True, kw_only=True)
    class Options:
        weights: File | None = option(None, "a file of weights to start from")

    content = options.weights.read()

The identity of a run contains only the hash, written ``sha256-`` and 64 hexadecimal digits. The path is configuration:
the same content under two paths is one run, and other content under the same path is another run.
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

from mtbench.errors import DataError, UsageError

__all__ = ["File", "find_file", "known_paths", "with_short_hashes"]

DIGITS = 64  # of a sha256 sum in hexadecimal
SHORT = 12  # of these in a title


@dataclass(frozen=True, kw_only=True)
class File:
    """The value of an option that is a file. Two files are equal if their contents are equal.

    Attributes:
        sha256: the hash of the content, 64 hexadecimal digits.
        path: an absolute path where the content was found; None if only the hash is known.
        subject: the option that it was given for, e.g. ``option 'weights' of backbone 'resnet18'``, for errors.
    """

    sha256: str
    path: Path | None = dataclasses.field(default=None, compare=False)
    subject: str = dataclasses.field(default="an option", compare=False)

    def __str__(self) -> str:
        """Return the text of the file in the identity of a run."""
        return f"sha256-{self.sha256}"

    def read(self) -> bytes:
        """Return the content, checked against the hash.

        Raises:
            DataError: no path is known, the file cannot be read, or its content differs.
        """
        given = f"{self.subject} is the file with sha256 {self.sha256}"
        if self.path is None:
            raise DataError(f"{given}, and no path to it is known.", mend="Give its path in place of the hash.")
        again = "run the same command again with the path of the right file, which continues the same run."
        try:
            content = self.path.read_bytes()
        except OSError as cause:
            raise DataError(
                f"{given}, which cannot be read at {self.path}, where it was last: {cause.strerror}.",
                mend=f"Put it back, or {again}",
            ) from None
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            raise DataError(
                f"{given}, and the content of {self.path}, where it was last, has changed: its sha256 is {found}.",
                mend=f"Put it back, or {again}",
                allowed="A file of other content makes another run.",
            )
        return content


def find_file(text: str, *, subject: str, paths: Mapping[str, str]) -> File:
    """Return the file that a text names by its path, or by its hash in the form of `File.__str__`.

    Args:
        text: a path, absolute or relative to the current folder, in which ``~`` is the home folder; or the hash.
        subject: the option that the text was given for, for errors.
        paths: paths of files by hash, for texts that are hashes.

    Raises:
        UsageError: there is no such file, it cannot be read, or the hash is incomplete.
    """
    if named := re.fullmatch(r"sha256-([0-9a-fA-F]+)", text):
        sha256 = named[1].lower()
        if len(sha256) != DIGITS:
            raise UsageError(
                f"{subject} is '{text}', and the sha256 of a file has {DIGITS} digits, not {len(sha256)}.",
                mend=f"Give the path of the file. Titles show the first {SHORT} digits, and spec.json has them all.",
            )
        path = Path(paths[sha256]) if sha256 in paths else None
        return File(sha256=sha256, path=path, subject=subject)
    try:
        path = Path(text).expanduser().absolute()
        str(path).encode()  # it is stored in a JSON file
        stamp = path.stat()
        if not S_ISREG(stamp.st_mode):
            kind = "a folder" if path.is_dir() else "no ordinary file"
            raise UsageError(f"{subject} is '{text}', which is {kind}.", allowed=_ALLOWED)
        sha256 = _sha256(path, stamp.st_ino, stamp.st_size, stamp.st_mtime_ns)
    except FileNotFoundError:
        raise UsageError(
            f"{subject} is '{text}', and there is no such file.", mend=_SEPARATORS, allowed=_ALLOWED
        ) from None
    except (OSError, ValueError, RuntimeError) as cause:  # the latter: not UTF-8, a NUL, ~ of an unknown user
        reason = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
        raise UsageError(f"{subject} is '{text}', which cannot be read: {reason}.", allowed=_ALLOWED) from None
    return File(sha256=sha256, path=path, subject=subject)


def known_paths(*options: Any) -> dict[str, str]:
    """Return the paths of the files among some options, by hash; files of which only the hash is known are left out."""
    values = [getattr(each, field.name) for each in options for field in dataclasses.fields(each)]
    return {value.sha256: str(value.path) for value in values if isinstance(value, File) and value.path is not None}


def with_short_hashes(text: str) -> str:
    """Return a text that names files by hash with the first digits of each hash, as titles do."""
    return re.sub(rf"(sha256-[0-9a-f]{{{SHORT}}})[0-9a-f]{{{DIGITS - SHORT}}}", r"\1", text)


_ALLOWED = "Allowed: the path of a file, or sha256- and the 64 hexadecimal digits of its hash."
_SEPARATORS = "A path cannot hold ':' or ','; where it does, give a link to the file."


@lru_cache(maxsize=256)
def _sha256(path: Path, inode: int, size: int, changed: int) -> str:  # noqa: ARG001
    """Return the sha256 of a file's content; the numbers distinguish two states of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
