"""MNIST: its four original files, and the digits in them.

Whatever the source, a file is used only if it has the MD5 sum of the original of LeCun, Cortes & Burges.
"""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract.sums import read_summed
from mtbench.errors import DataError

from .files import read_checked, write_atomically
from .mnist_sources import LocalFiles, Mirror, Source, Unavailable, Wheel

__all__ = ["MD5", "MIRRORS", "Digits", "load", "parse_idx", "prepare", "verify"]

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = (
    Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
    Mirror("http://yann.lecun.com/exdb/mnist/"),
)


def prepare(root: Path, say: Callable[[str], None], sources: Sequence[Source] | None = None) -> None:
    """Put the four original files into ``<root>/mnist``, replacing those that are damaged.

    Args:
        root: the data root.
        say: called with a line on each step.
        sources: tried in this order; by default local files, the mirrors, the wheel.

    Raises:
        DataError: a file cannot be obtained; the text names each source that was tried and why it failed.
    """
    folder = root / "mnist"
    missing = [name for name, md5 in MD5.items() if _md5(folder / name) != md5]
    tried: list[str] = []
    for source in (LocalFiles(root), *MIRRORS, Wheel()) if sources is None else sources:
        if not missing:
            return
        say(f"MNIST: looking for {len(missing)} of {len(MD5)} files in {source.title}")
        reasons = _take(source, missing, folder)
        missing = [name for name in missing if _md5(folder / name) != MD5[name]]
        tried.append(f"{source.title}: {', '.join(reasons) or 'the others only'}.")
    if missing:
        raise DataError(
            f"MNIST cannot be had: {', '.join(missing)} not found.",
            mend=f"Copy the original files, plain or as .gz, into {folder} and try again.",
            where=f"Tried {' '.join(tried)}",
        )


def verify(root: Path, owner: str) -> list[tuple[Path, str]]:
    """Return the four files with their sums; `owner` and errors as in `load`."""
    for name, md5 in MD5.items():
        read_checked(root / "mnist" / name, "md5", md5, owner)
    return [(root / "mnist" / name, f"md5:{md5}") for name, md5 in MD5.items()]


@dataclass(frozen=True, kw_only=True)
class Digits:
    """One half of MNIST: images (N, 28, 28) and labels (N,), both uint8, in the original order."""

    images: Tensor
    labels: Tensor


def load(root: Path, half: str, owner: str) -> Digits:
    """Return one half of MNIST, ``train`` (60,000 digits) or ``t10k`` (10,000).

    Args:
        owner: the dataset that needs it, as the person wrote it, for the error.

    Raises:
        DataError: a file is missing, truncated or altered.
    """
    names = (f"{half}-images-idx3-ubyte", f"{half}-labels-idx1-ubyte")
    images, labels = (parse_idx(read_checked(root / "mnist" / name, "md5", MD5[name], owner)) for name in names)
    return Digits(images=images, labels=labels)


def parse_idx(content: bytes) -> Tensor:
    """Return the uint8 tensor in an IDX file: two zero bytes, type 8, number of axes, big-endian uint32 sizes,
    bytes."""
    axes = content[3]
    sizes = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=4 + 4 * axes).view(*sizes)


def _md5(path: Path) -> str:
    """Return the MD5 sum of a file; empty if it cannot be read."""
    try:
        return read_summed(path, "md5")[1]
    except OSError:
        return ""


def _take(source: Source, names: Sequence[str], folder: Path) -> list[str]:
    """Write the files that a source has to the folder, and return the reason why it lacks the rest."""
    reasons = []
    try:
        for where, name, content in source.fetch(names):
            try:
                write_atomically(folder / name, _original(name, content))
            except Unavailable as cause:
                reasons.append(f"{where} {cause}")
    except (Unavailable, OSError) as cause:
        reasons.append(str(_root(cause)))
    return reasons


def _original(name: str, content: bytes) -> bytes:
    """Return the bytes of an original file from the same, perhaps gzipped."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as cause:
            raise Unavailable(f"is damaged: {cause}") from None
    found = hashlib.md5(content).hexdigest()
    if found != MD5[name]:
        raise Unavailable(f"has md5 {found}, expected {MD5[name]}")
    return content


def _root(cause: BaseException) -> BaseException:
    """Return the error that came first in a chain of connection errors, which is the one that says something."""
    while cause.__context__ is not None:
        cause = cause.__context__
    return cause
