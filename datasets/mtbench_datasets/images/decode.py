"""From an image file to pixels of the size that is trained on."""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from mtbench.errors import DataError

__all__ = ["RECIPE", "Source", "decode", "read_source"]

RECIPE = 1
"""The version of the conversion of an image; part of the cache's name. Raised when pixels change."""
FORMATS = ("PNG", "JPEG")


@dataclass(frozen=True, kw_only=True)
class Source:
    """The state of an image file, by which a change is noticed.

    Attributes:
        name: path relative to the common folder of all files of the list.
        size: in bytes.
        changed: time of the last change, in nanoseconds.
    """

    name: str
    size: int
    changed: int


def read_source(path: Path, name: str) -> Source | None:
    """Return the state of a file; None if there is no such file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Source(name=name, size=found.st_size, changed=found.st_mtime_ns)


def decode(
    path: Path,
    size: tuple[int, int],
    mend: str,
    help: str,
    original: tuple[int, int] | None = None,
    crop: tuple[int, int] | None = None,
    *,
    nearest: bool = False,
) -> bytes:
    """Return the pixels (3, H, W) of a PNG or JPEG file, row by row, as uint8.

    Any mode becomes RGB, and transparency is dropped. The image is resized to exactly (H, W) by bilinear interpolation
    with antialiasing, as torchvision's ``Resize`` does with PIL images.

    Args:
        size: (H, W).
        mend: a sentence for the error.
        help: a further sentence, on where to get the dataset.
        original: (H, W) that the file must have; None for any size.
        crop: (H, W) of the middle of the image that is kept and resized, as by torchvision's ``CenterCrop``; None for
            the whole image.
        nearest: True for the nearest pixel in place of bilinear interpolation.

    Raises:
        DataError: the file is missing, truncated or damaged, or no such image.
    """
    try:
        return _pixels(path.read_bytes(), size, original, crop, nearest=nearest)
    except Exception as cause:  # Pillow raises OSError, SyntaxError, ValueError, struct.error and others
        # Pillow names the object that it read from, with its address.
        known = "neither a PNG nor a JPEG" if isinstance(cause, UnidentifiedImageError) else str(cause)
        reason = f"{type(cause).__name__}: {known}".rstrip(".")
        raise DataError(
            f"{path} is missing, truncated or damaged ({reason}).",
            mend=mend,
            allowed=f"Expected: an image in {' or '.join(FORMATS)} with 8 bits a channel.",
            where=help,
        ) from None


def _pixels(
    content: bytes,
    size: tuple[int, int],
    original: tuple[int, int] | None,
    crop: tuple[int, int] | None,
    *,
    nearest: bool,
) -> bytes:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        image.verify()  # every checksum of a PNG, which decoding alone does not check
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if original is not None and image.size != original[::-1]:
            raise ValueError(f"it has {image.width} x {image.height} pixels, not {original[1]} x {original[0]}")
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"its pixels are of mode {image.mode}")
        transparent = image.mode == "P" and "transparency" in image.info  # Pillow warns of the direct way to RGB
        colored = (image.convert("RGBA") if transparent else image).convert("RGB")
        if crop is not None and (crop[0] > image.height or crop[1] > image.width):
            raise ValueError(f"it has {image.width} x {image.height} pixels, less than {crop[1]} x {crop[0]}")
    if crop is not None:
        left, top = round((colored.width - crop[1]) / 2), round((colored.height - crop[0]) / 2)
        colored = colored.crop((left, top, left + crop[1], top + crop[0]))
    filter = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    resized = colored.resize((size[1], size[0]), filter)
    return np.asarray(resized).transpose(2, 0, 1).tobytes()
