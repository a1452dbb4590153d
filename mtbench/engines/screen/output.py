"""Standard output that cannot be written: a full disk behind ``>``, a terminal that is gone, a closed pipe.

Training goes on without them. Imports no torch.
"""

import codecs
import errno
import io
import os
import sys
import unicodedata
from contextlib import suppress
from typing import Any

from mtbench.errors import StoreError

__all__ = ["Output", "guard_output", "outlive_output"]


_LETTERS = {
    **{"±": "+-", "×": "x", "Δ": "D", "−": "-", "–": "-", "—": "-"},  # noqa: RUF001
    **{"→": "->", "…": "...", "↑": "^", "↓": "v", "≤": "<=", "≥": ">=", "·": ".", "§": "S", "─": "-", "│": "|"},
}
"""ASCII for letters that tables use, where the encoding of standard output lacks them."""


class _Guarded(io.FileIO):
    """A descriptor that is pointed to nowhere as soon as it cannot be written.

    Attributes:
        is_outlived: True if the work goes on without it.
    """

    is_outlived = False

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as cause:
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.fileno())
                os.close(nowhere)
            if not self.is_outlived:
                if cause.errno == errno.EPIPE:  # as with `| head`: nobody reads on
                    raise
                raise StoreError(f"standard output cannot be written: {cause.strerror}.") from cause
            if self.fileno() == 1 and cause.errno != errno.EPIPE:
                with suppress(OSError):  # straight, since a live display takes what is written to sys.stderr
                    os.write(2, f"Standard output cannot be written ({cause.strerror}): the work goes on.\n".encode())
            return len(data)


class Output(io.TextIOBase):
    """The standard output of the moment, for a console; what cannot be written to it is dropped."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(_stdout(), "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        with suppress(*GONE):
            _stdout().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(*GONE):
            _stdout().flush()

    def isatty(self) -> bool:
        with suppress(*GONE):
            return bool(_stdout().isatty())
        return False


GONE = (OSError, ValueError, AttributeError)
"""Errors of a stream that cannot be written, was closed, or is None."""


def guard_output() -> None:
    """Let standard output raise an error of mtbench, once, if it cannot be written, and standard error none.

    Descriptors that are closed are opened to nowhere, for programs that this process starts too, so that no file of
    results and no pipe takes their numbers.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:  # Python found the descriptor closed
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
        elif _is_plain(stream, number) and not isinstance(_raw(stream), _Guarded):
            raw = _Guarded(number, "w", closefd=False)
            raw.is_outlived = number == 2
            guarded = io.TextIOWrapper(
                io.BufferedWriter(raw),
                encoding=stream.encoding,
                errors="plain",
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, guarded)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return the letters that stand for those which a terminal's encoding lacks, and the position after them."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    bare = (
        _LETTERS.get(letter) or unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        for letter in lacking
    )
    return "".join(letters or "?" for letters in bare), error.end


codecs.register_error("plain", _plain)


def outlive_output() -> None:
    """Let this process go on where standard output cannot be written."""
    guard_output()
    if isinstance(raw := _raw(sys.stdout), _Guarded):
        raw.is_outlived = True


def _is_plain(stream: Any, number: int) -> bool:
    """Return True for a stream as Python opens it; a test or a notebook may have put another in its place."""
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == number
    except (OSError, ValueError):
        return False


def _raw(stream: Any) -> Any:
    return getattr(getattr(stream, "buffer", None), "raw", None)


def _stdout() -> Any:
    return getattr(sys.stdout, "rich_proxied_file", sys.stdout)  # not the one through which a live display prints
