"""Annotations in the data root, read once from 90 megabytes of text and in a moment ever after."""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import safetensors.torch

from mtbench.errors import DataError

from ..files import read_with_sum, sum_beside, write_with_sum
from .annotations import TENSORS, Annotations
from .reading import Folder

__all__ = ["AnnotationsCache", "Facts"]

HEAD = 100_000_000  # bytes, the most that safetensors allows
RECIPE = 1  # part of the file's name; raised when what is read changes


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The head of a file of annotations.

    Attributes:
        names: see `Annotations`.
        remarks: see `Annotations`.
        digest: see `Annotations`.
        states: of each file that they were read from its path, its size in bytes and the time of its last change in
            nanoseconds, by what it has.
    """

    names: list[str]
    remarks: list[str]
    digest: str
    states: Mapping[str, tuple[str, int, int]]


@dataclass(frozen=True, kw_only=True)
class AnnotationsCache:
    """The annotations of the images in a folder.

    Attributes:
        folder: where the dataset lies.
        stem: the beginning of the file's name.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
    """

    folder: Folder
    stem: str
    root: Path
    owner: str

    @property
    def path(self) -> Path:
        """The file below the data root."""
        return self.root / "birds" / f"{self.stem}-v{RECIPE}.safetensors"

    def prepare(self) -> Annotations:
        """Return the annotations, read anew from the text files unless they are there; errors as `Folder.read`."""
        try:
            return self.read()
        except DataError:
            return self._fill()

    def read(self) -> Annotations:
        """Return the annotations that were prepared.

        Text files that are not there any more are not missed.

        Raises:
            DataError: they are missing, truncated or altered, or a text file is another one by now.
        """
        content = read_with_sum(self.path, self.owner)
        facts = _head(io.BytesIO(content))
        for name, path in self.folder.files.items():
            state = _state(path)
            if state is not None and list(state) != list(facts.states[name]):
                raise DataError(
                    f"{path} is not the file any more that {self.path} was read from.",
                    mend=f"`mtbench data prepare {self.owner}` reads it again.",
                )
        tensors = safetensors.torch.load(content)
        return Annotations(**tensors, names=tuple(facts.names), remarks=tuple(facts.remarks))

    def facts(self) -> Facts | None:
        """Return the head of the file; None where it was not prepared."""
        if not sum_beside(self.path):
            return None
        try:
            with self.path.open("rb") as file:
                return _head(file)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _fill(self) -> Annotations:
        """Read the annotations from the text files, and keep them; errors as `Folder.read`."""
        states = {name: state for name, path in self.folder.files.items() if (state := _state(path)) is not None}
        found = self.folder.read()
        facts = Facts(names=list(found.names), remarks=list(found.remarks), digest=found.digest(), states=states)
        tensors = {name: getattr(found, name).contiguous() for name in TENSORS}
        # One entry: of several, safetensors writes the order at random, and equal content has unequal bytes.
        write_with_sum(self.path, safetensors.torch.save(tensors, {"facts": json.dumps(asdict(facts))}))
        return found


def _state(path: Path) -> tuple[str, int, int] | None:
    """Name, size and time of the last change of a file; None if it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path.name, found.st_size, found.st_mtime_ns


def _head(file: BinaryIO) -> Facts:
    length = int.from_bytes(file.read(8), "little")
    if length > HEAD:
        raise ValueError(f"a head of {length} bytes")
    return Facts(**json.loads(json.loads(file.read(length))["__metadata__"]["facts"]))
