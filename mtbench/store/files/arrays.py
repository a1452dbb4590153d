"""Arrays and weights from files that anybody may have written: what a file claims is checked before memory is taken.

A file of some kilobytes can claim an array of terabytes, or unpack to a thousand times its size. Nothing in these files
is executed: an array of objects, which only pickle reads, is refused.
"""

import io
import math
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, ZipInfo

if TYPE_CHECKING:  # NumPy and torch are imported where arrays are read: most commands read records alone
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["Unreadable", "check_members", "read_arrays", "read_weights"]

COMPRESSED = 512 << 20
"""Bytes that the members of a compressed file may claim together, whatever the size of the file."""
RATIO = 32
"""The same for large files: as a multiple of the size of the file."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = "biuf"
"""Kinds of dtype that arrays of predictions have: booleans, integers and floats."""


class Unreadable(ValueError):
    """The file has not the format that it should have, or claims too much; the text is a clause."""


def read_arrays(data: bytes) -> "dict[str, NDArray[Any]]":
    """Return the arrays of an ``.npz`` file by name.

    Raises:
        Unreadable: it is none.
    """
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            check_members(members, max(COMPRESSED, RATIO * len(data)), _METHODS)
            names = [member.filename.removesuffix(".npy") for member in members]
            if len({*names}) < len(names):
                raise Unreadable("two of its arrays have one name")
            return {name: _array(archive.read(member)) for name, member in zip(names, members, strict=True)}
    except Unreadable:
        raise
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError, NotImplementedError) as cause:
        raise Unreadable(f"it is no file of arrays: {_first_line(cause)}") from cause


def read_weights(data: bytes) -> "dict[str, Tensor]":
    """Return the tensors of a safetensors file by name; its reader compares what each claims with the size of the file.

    Raises:
        Unreadable: it is none.
    """
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, LookupError, ValueError, TypeError, RuntimeError) as cause:
        raise Unreadable(f"it is no file of weights: {_first_line(cause)}") from cause


def check_members(members: Iterable[ZipInfo], largest: int, methods: Iterable[int]) -> None:
    """Refuse members of a zip file that are larger or packed otherwise than allowed.

    Args:
        members: all members of the file.
        largest: bytes that they may have together, unpacked.
        methods: the allowed methods of compression.

    Raises:
        Unreadable: one or all of them are.
    """
    total = 0
    for member in members:
        if member.compress_type not in methods:
            raise Unreadable(f"its member {member.filename!r} is compressed in another way than mtbench does")
        total += member.file_size
    if total > largest:
        raise Unreadable(f"it claims {total:,} bytes of content, and at most {largest:,} are read")


def _array(content: bytes) -> "NDArray[Any]":
    """Return the array in the content of an ``.npy`` file.

    Raises:
        ValueError: it is none, or has more or fewer bytes than its head says.
    """
    import numpy as np

    stream = io.BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a head that needs a second reading was not written by numpy
        try:
            version = np.lib.format.read_magic(stream)
            head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = head(stream)
        except Warning as cause:
            raise ValueError(str(cause)) from cause
    size, rest = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if dtype.kind not in _KINDS or min(shape, default=0) < 0 or size != rest:
        raise Unreadable(f"an array of {dtype} and shape {shape} has {rest:,} bytes")
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _first_line(cause: Exception) -> str:
    return (str(cause) or type(cause).__name__).partition("\n")[0]
