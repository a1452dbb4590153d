"""Reading of small JSON files that anything may have written to: size and depth are checked before they are parsed."""

import json
import os
import re
import stat
from pathlib import Path

from mtbench.store.files.reading import inside, read_bytes, size_of

__all__ = ["DEEPEST", "LARGEST", "SHORT", "Refused", "check_depth", "read_guarded", "read_lines"]

LARGEST = 64 << 20
"""Bytes of the largest record, study, declaration or journal that is read."""
SHORT = 1 << 20
"""Bytes of the largest spec, failure, mark or list of paths that is read."""
DEEPEST = 50
"""Levels of the deepest lists and objects that are parsed."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_KEPT = b'[]{}"'
_OTHERS = bytes(set(range(256)) - set(_KEPT))


class Refused(ValueError):
    """The file is not parsed; the text gives the reason."""


def read_guarded(path: Path, largest: int = LARGEST) -> bytes:
    """Return the content of a JSON file, or of one with a JSON text in each line, that is safe to parse.

    Args:
        path: the file, which may be in a pack.
        largest: the number of bytes that it may have.

    Raises:
        OSError, StoreError: see `mtbench.store.files.reading.read_bytes`.
        Refused: it is too large or too deep, is not a regular file, or has half a character, which cannot be written.
    """
    text = _content(path, largest) if inside(path) is None else _checked(path, largest)
    check_depth(text)
    if _SURROGATE.search(text):
        _check_characters(text)
    return text


def read_lines(path: Path, largest: int = LARGEST) -> list[bytes]:
    """Return those lines of a file with a JSON text in each line that are safe to parse; the others are passed over.

    Args:
        path: the file, which may be in a pack.
        largest: the number of bytes that it may have.

    Raises:
        OSError, StoreError: see `mtbench.store.files.reading.read_bytes`.
        Refused: it is too large, or is not a regular file.
    """
    text = _content(path, largest) if inside(path) is None else _checked(path, largest)
    return [line for line in text.splitlines() if line and _is_safe(line)]


def _is_safe(line: bytes) -> bool:
    try:
        check_depth(line)
        if _SURROGATE.search(line):
            _check_characters(line)
    except Refused:
        return False
    return True


def _content(path: Path, largest: int) -> bytes:
    """Return the content of a file outside of packs."""
    # Opened to wait for nothing: reading a pipe would, and reading some devices would not end.
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise Refused("it is not a regular file")
        _check_size(state.st_size, largest)
        return file.read()


def _checked(path: Path, largest: int) -> bytes:
    """Return the content of a file in a pack."""
    _check_size(size_of(path) or 0, largest)
    return read_bytes(path)


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise Refused(f"it has {size:,} bytes, and at most {largest:,} are read")


def check_depth(text: bytes) -> None:
    """Refuse a JSON text whose lists and objects are nested more than `DEEPEST` levels.

    Raises:
        Refused: it is.
    """
    if b"\\" in text:  # an escaped quotation mark ends no string
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = text.translate(None, _OTHERS).replace(b'""', b"")
    rest = marks
    for _ in range(DEEPEST):  # what is nested least deeply is left; of a usual file nothing after a few levels
        if not rest:
            return
        rest = rest.replace(b"[]", b"").replace(b"{}", b"")
    if _depth(marks) > DEEPEST:
        raise Refused(f"its lists and objects are nested more than {DEEPEST} levels")


def _depth(marks: bytes) -> int:
    """Return how many lists and objects are open at most, of the brackets and quotation marks of a text."""
    import numpy as np  # hardly any file needs it, and it takes a tenth of the time of `status`

    codes = np.frombuffer(marks, dtype=np.uint8)
    inside = np.cumsum(codes == ord('"'), dtype=np.uint8) & 1  # in a string; the quotation marks themselves add 0
    opening = (codes == ord("[")) | (codes == ord("{"))
    closing = (codes == ord("]")) | (codes == ord("}"))
    steps = (opening.astype(np.int8) - closing.astype(np.int8)) * (1 - inside).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _check_characters(text: bytes) -> None:
    """Refuse a JSON text with half of a character that needs two escapes.

    Raises:
        Refused: it has one.
    """
    for line in (text, *text.splitlines()):  # a JSON text, or one in each line
        try:
            json.dumps(json.loads(line), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Refused("it has half a character") from None
        except ValueError:  # its reader says so
            continue
