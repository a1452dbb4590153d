"""Files of tensors whose heads say what they were read from, so that facts can be read without the tensors."""

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import safetensors.torch
from torch import Tensor

from mtbench.errors import DataError

from .files import read_with_sum, sum_beside, write_with_sum

__all__ = ["State", "expect_unchanged", "file_states", "read_facts", "read_tensors", "write_tensors"]

HEAD = 100_000_000
"""The most bytes of a head that safetensors allows."""

State = Sequence[str | int]
"""Name, size in bytes and time of the last change in nanoseconds of a file."""
Facts = TypeVar("Facts")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors, and facts that JSON can hold; errors as in `write_with_sum`."""
    # One entry: of several, safetensors writes the order at random, and equal content has unequal bytes.
    head = {"facts": json.dumps(facts)}
    write_with_sum(path, safetensors.torch.save({name: each.contiguous() for name, each in tensors.items()}, head))


def read_tensors(path: Path, owner: str, parse: Callable[..., Facts]) -> tuple[dict[str, Tensor], Facts]:
    """Return the tensors and the facts of a file, the facts as arguments of `parse`; errors as in `read_with_sum`."""
    content = read_with_sum(path, owner)
    return safetensors.torch.load(content), parse(**_head(io.BytesIO(content)))


def read_facts(path: Path, parse: Callable[..., Facts]) -> Facts | None:
    """Return the facts alone, whose sum is not checked; None if they are missing or damaged."""
    if not sum_beside(path):
        return None
    try:
        with path.open("rb") as file:
            return parse(**_head(file))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def file_states(files: Mapping[str, Path], below: Path | None = None) -> dict[str, State]:
    """Return the states of those files that are there, by their keys.

    Args:
        files: the files, by their keys.
        below: a folder; with it names are paths below this folder.
    """
    found: dict[str, State] = {}
    for key, path in files.items():
        try:
            status = os.stat(path)
        except OSError:
            continue
        name = path.name if below is None else os.path.relpath(path, below)
        found[key] = [name, status.st_size, status.st_mtime_ns]
    return found


def expect_unchanged(
    files: Mapping[str, Path], before: Mapping[str, State], path: Path, owner: str, *, below: Path | None = None
) -> None:
    """Refuse files that have changed since; files that were added or removed since are ignored.

    Args:
        files, below: see `file_states`.
        before: the result of `file_states` when they were read.
        path: the file that was made of them, for the error.
        owner: the dataset as the person wrote it, for the error.

    Raises:
        DataError: a file changed.
    """
    for key, state in file_states(files, below).items():
        if key in before and list(state) != list(before[key]):
            raise DataError(
                f"{files[key]} is not the file any more that {path} was read from.",
                mend=f"`mtbench data prepare {owner}` reads it again.",
            )


def _head(file: BinaryIO) -> dict[str, Any]:
    length = int.from_bytes(file.read(8), "little")
    if length > HEAD:
        raise ValueError(f"a head of {length} bytes")
    facts: dict[str, Any] = json.loads(json.loads(file.read(length))["__metadata__"]["facts"])
    return facts
