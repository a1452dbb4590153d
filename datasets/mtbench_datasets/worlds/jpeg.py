"""JPEG files that contain a description of their picture, and that are recognized as complete without decoding."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["encode", "read_facts"]

HEAD = 20
"""Bytes before the comment: the markers of the start and of JFIF, as Pillow writes them."""
COMMENT = b"\xff\xfe"


def encode(pixels: NDArray[np.uint8], source: str, facts: dict[str, Any]) -> bytes:
    """Return pixels as a JPEG with a comment: the source, the facts as JSON, and a sum of all but the comment.

    Args:
        pixels: (H, W, 3).
        source: a line of text.
        facts: whatever JSON has.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling=0)
    content = buffer.getvalue()
    text = "\n".join([source, json.dumps(facts, separators=(",", ":"))])
    note = f"{text}\n{_sum(content, text)}".encode()
    return content[:HEAD] + COMMENT + struct.pack(">H", len(note) + 2) + note + content[HEAD:]


def read_facts(path: Path, source: str) -> dict[str, Any] | None:
    """Return the facts of a file that was encoded with this source, and is neither truncated nor altered; else None."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) < HEAD + 4 or content[HEAD : HEAD + 2] != COMMENT:
        return None
    (length,) = struct.unpack_from(">H", content, HEAD + 2)
    note, rest = content[HEAD + 4 : HEAD + 2 + length], content[HEAD + 2 + length :]
    lines = note.decode("utf-8", "replace").split("\n")
    if len(lines) != 3 or lines[0] != source or lines[2] != _sum(content[:HEAD] + rest, "\n".join(lines[:2])):
        return None
    facts: dict[str, Any] = json.loads(lines[1])
    return facts


def _sum(content: bytes, text: str) -> str:
    return f"{zlib.crc32(text.encode(), zlib.crc32(content)):08x}"
