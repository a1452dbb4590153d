"""PNG files that say which picture they are, and that are recognized as whole without being decoded."""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, PngImagePlugin
from torch import Tensor

__all__ = ["encode", "is_whole"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEY = "Source"


def encode(pixels: Tensor, source: str) -> bytes:
    """Return pixels as a PNG with a text chunk ``Source``.

    Args:
        pixels: (H, W, 3) or (H, W) uint8, or (H, W) int32 of 0 to 65,535, which becomes 16 bits a pixel.
        source: the text.
    """
    array = pixels.numpy()
    image = Image.fromarray(array.astype("uint16") if array.dtype == "int32" else array)
    text = PngImagePlugin.PngInfo()
    text.add_text(KEY, source)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text, compress_level=6)
    return buffer.getvalue()


def is_whole(path: Path, source: str) -> bool:
    """Return True if the file is a PNG that was encoded with this source, and neither truncated nor altered."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    if not content.startswith(SIGNATURE):
        return False
    position, named = len(SIGNATURE), False
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind, end = content[position + 4 : position + 8], position + 8 + length
        body = content[position + 4 : end]
        if content[end : end + 4] != struct.pack(">I", zlib.crc32(body)):
            return False
        named |= kind == b"tEXt" and body[4:] == f"{KEY}\0{source}".encode("latin-1")
        position = end + 4
        if kind == b"IEND":
            return named and position == len(content)
    return False
