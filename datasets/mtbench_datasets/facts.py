"""Files of tensors whose heads say what they were read from, so that facts can be had without reading the tensors."""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import safetensors.torch
from torch import Tensor

from .files import read_with_sum, sum_beside, write_with_sum

__all__ = ["read_facts", "read_tensors", "write_tensors"]

HEAD = 100_000_000
"""The most bytes of a head that safetensors allows."""

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
    """Return the facts alone, whose sum is not checked; None where they are missing or damaged."""
    if not sum_beside(path):
        return None
    try:
        with path.open("rb") as file:
            return parse(**_head(file))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _head(file: BinaryIO) -> dict[str, Any]:
    length = int.from_bytes(file.read(8), "little")
    if length > HEAD:
        raise ValueError(f"a head of {length} bytes")
    facts: dict[str, Any] = json.loads(json.loads(file.read(length))["__metadata__"]["facts"])
    return facts
