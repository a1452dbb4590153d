"""The file of a checkpoint: a first line, the SHA-256 of the rest, and the state as written by ``torch.save``.

torch itself silently restores most damaged files: it reads tensors without comparing their checksums. Here torch reads
no byte before the checksum of all of them was compared.
"""

import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mtbench.errors import is_out_of_memory
from mtbench.store.files.arrays import Unreadable, check_members
from mtbench.store.files.atomic import store_errors, write_bytes

__all__ = ["CHECKPOINT", "Checkpoint", "CheckpointFile", "OtherFormat", "Unusable", "pack", "payload", "unpack"]

CHECKPOINT = "checkpoint.pt"
ASIDE = ("checkpoint-damaged-1.pt", "checkpoint-damaged-2.pt")
"""The names under which unusable checkpoints are kept: the first one of a run, and the last one."""

_FIRST_LINE = b"mtbench checkpoint 2\n"
_EARLIER = b"PK\x03\x04"
"""The beginning of checkpoints before format 2, which were the bare file of ``torch.save``."""
_DIGEST = hashlib.sha256().digest_size
_NONE: Mapping[str, str] = MappingProxyType({})


class Unusable(ValueError):
    """The file is no checkpoint, or has changed since it was written; the text gives the evidence."""


class OtherFormat(ValueError):
    """The file is a checkpoint of an earlier mtbench, which had no checksum."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The content of a checkpoint.

    Attributes:
        marks: values by name that must be equal for the run to be resumed from it.
        numerics: values by name that may change the last bits of a number but do not prevent resumption.
        notes: notes on the run so far, one sentence each.
        state: tensors and plain values.
    """

    marks: Mapping[str, str]
    numerics: Mapping[str, str]
    notes: tuple[str, ...]
    state: dict[str, Any]

    def __post_init__(self) -> None:
        mappings = all(isinstance(part, dict) for part in (self.marks, self.numerics, self.state))
        if not (mappings and isinstance(self.notes, tuple)):
            raise TypeError("a part has the wrong type")


def pack(checkpoint: Checkpoint) -> bytes:
    """Return the bytes of a checkpoint's file."""
    import torch

    # Not straight into a file: torch's message about a full disk differs from the system's.
    buffer = io.BytesIO()
    torch.save(vars(checkpoint), buffer)
    payload = buffer.getbuffer()
    return b"".join((_FIRST_LINE, hashlib.sha256(payload).digest(), payload))


def unpack(data: bytes) -> Checkpoint:
    """Return the checkpoint in the bytes of a file, its tensors on the CPU.

    Raises:
        OtherFormat: it has the format of an earlier mtbench.
        Unusable: it is damaged, or is no checkpoint.
        MemoryError, RuntimeError: memory ran out, which says nothing about the file (see `is_out_of_memory`).
    """
    import torch

    saved = io.BytesIO(payload(data))
    try:
        with zipfile.ZipFile(saved) as archive:  # torch unpacks compressed members too, and writes none
            check_members(archive.infolist(), len(data), (zipfile.ZIP_STORED,))
        saved.seek(0)
        return Checkpoint(**torch.load(saved, weights_only=True, map_location="cpu"))
    except Unreadable as cause:
        raise Unusable(str(cause)) from cause
    except Exception as cause:  # torch has many exceptions for a file that it cannot read
        if is_out_of_memory(cause):
            raise
        first_line = str(cause).partition("\n")[0]
        raise Unusable(f"it cannot be read: {type(cause).__name__}: {first_line}") from cause


def payload(data: bytes) -> memoryview:
    """Return what ``torch.save`` wrote of the bytes of a checkpoint's file, which match their checksum.

    Raises:
        OtherFormat, Unusable: see `unpack`.
    """
    if data.startswith(_EARLIER):
        raise OtherFormat
    if not data.startswith(_FIRST_LINE):
        raise Unusable("it does not begin as a checkpoint does")
    begin = len(_FIRST_LINE) + _DIGEST
    rest = memoryview(data)[begin:]
    if hashlib.sha256(rest).digest() != data[len(_FIRST_LINE) : begin]:
        raise Unusable("its content does not match its checksum")
    return rest


class CheckpointFile:
    """The checkpoint in the folder of a run, and the conditions for its use.

    Args:
        folder: the folder of the run. Only the owner of its lease may call the methods below.
        marks: everything that makes the run's numbers, by name (``torch``, ``data``, ``code of the network`` …); a run
            is not resumed from a checkpoint made under other marks.
        numerics: circumstances that may change the last bits of a number, by name (``threads``, ``processor`` …); a run
            is resumed under other numerics, and a note is made.
        say: called with each note when it is made.
        every: seconds after a state was written before which no other is due.

    Attributes:
        notes: sentences on the course of the run for its record, e.g. that it was resumed under other numerics or that
            a checkpoint could not be used; those in the checkpoint that it was resumed from are included.
    """

    def __init__(
        self,
        folder: Path,
        marks: Mapping[str, str] = _NONE,
        numerics: Mapping[str, str] = _NONE,
        say: Callable[[str], None] = lambda _: None,
        *,
        every: float = 0,
    ) -> None:
        self.path = folder / CHECKPOINT
        self._every, self._written = every, time.monotonic()
        self.notes: list[str] = []
        self._marks, self._numerics = _plain(marks), _plain(numerics)
        self._say = say

    def read(self) -> dict[str, Any] | None:
        """Return the last state written; None if there is none that the run can be resumed from.

        Raises:
            StoreError: an unusable checkpoint cannot be renamed.
        """
        try:
            kept = unpack(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OtherFormat:
            self._note("The checkpoint has the format of an earlier mtbench: the run starts again.")
            return None
        except OSError as cause:
            self.reject(f"it cannot be read: {cause.strerror or cause}")
            return None
        except Unusable as cause:
            self.reject(str(cause))
            return None
        if changed := _changed(kept.marks, self._marks):
            self._note(f"Changed since the checkpoint: {', '.join(changed)}. The run starts again.")
            return None
        self.notes[:0] = kept.notes
        if changed := _changed(kept.numerics, self._numerics):
            pairs = ((kept.numerics.get(name, "unknown"), self._numerics.get(name, "unknown")) for name in changed)
            changes = [f"{name} {before} -> {now}" for name, (before, now) in zip(changed, pairs, strict=True)]
            self._note(f"Resumed after epoch {kept.state.get('epoch')} under other numerics: {', '.join(changes)}.")
        return kept.state

    @property
    def is_due(self) -> bool:
        """True if the time between two checkpoints has passed since the last one, or since the beginning."""
        return time.monotonic() >= self._written + self._every

    def write(self, state: dict[str, Any], check: Callable[[], None] = lambda: None) -> None:
        """Write a state of tensors and plain values, with the notes so far.

        Args:
            check: called right before the file is replaced, which does not happen if it raises.

        Raises:
            StoreError: it cannot be written.
        """
        kept = Checkpoint(marks=self._marks, numerics=self._numerics, notes=tuple(self.notes), state=state)
        write_bytes(self.path, pack(kept), check)
        self._written = time.monotonic()

    def reject(self, why: str) -> None:
        """Rename a checkpoint that cannot be used, and note it.

        Args:
            why: a clause, such as ``its content does not match its checksum``.

        Raises:
            StoreError: the checkpoint cannot be renamed.
        """
        first, last = map(self.path.with_name, ASIDE)
        aside = last if first.exists() else first
        with store_errors(aside):
            self.path.replace(aside)
        self._note(f"The checkpoint cannot be used: {why}. It is kept as {aside.name}; the run starts again.")

    def _note(self, sentence: str) -> None:
        self.notes.append(sentence)
        self._say(sentence)


def _plain(texts: Mapping[str, str]) -> dict[str, str]:
    # torch.__version__ is of a class derived from str, which torch.load refuses to read.
    return {name: str(text) for name, text in texts.items()}


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names whose texts differ, or that only one side has, sorted."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
