"""Notes beside arrays: which picture they are, their sums, and facts about them.

A file of NumPy has no place for a remark, as PNG and JPEG files have, so that arrays have a note of their own.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["digest", "encode_array", "encode_note", "read_note"]


def encode_array(array: NDArray[np.float32]) -> bytes:
    """Return an array as the content of a file of NumPy, format 1.0: float32, little-endian, in C order."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array, dtype="<f4"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """Return the sha256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def encode_note(source: str, facts: Mapping[str, Any]) -> bytes:
    """Return a note: a line of JSON with the source, the facts, and a sum of both.

    Args:
        source: the picture that it is about.
        facts: values of JSON, with other keys than "source" and "sum".
    """
    text = json.dumps({"source": source, **facts}, separators=(",", ":"))
    return (text[:-1] + f',"sum":"{digest(text.encode())}"}}\n').encode()


def read_note(path: Path, source: str) -> dict[str, Any] | None:
    """Return the facts of a note about this picture that is neither truncated nor altered; else None."""
    try:
        content = path.read_bytes()
        facts = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        return None
    facts = {key: value for key, value in facts.items() if key not in ("source", "sum")}
    return facts if content == encode_note(source, facts) else None
