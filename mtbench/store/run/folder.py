"""The folder of one run: its spec, its checkpoint while it runs, and its record or its failure."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from mtbench.errors import DamagedRecord, StoreError, UsageError
from mtbench.plan.checked import check_spec
from mtbench.plan.spec import RunSpec
from mtbench.store.files.arrays import Unreadable, read_arrays, read_weights
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.guard import SHORT, Refused, read_guarded
from mtbench.store.files.reading import inside, read_bytes, size_of
from mtbench.store.record import Record, read_record
from mtbench.store.run.checkpoint import CHECKPOINT
from mtbench.store.run.failure import Failure, read_failure, render_failure
from mtbench.store.run.lease import Holder, holder_of, is_leased

if TYPE_CHECKING:  # NumPy and torch are imported where arrays are read: most commands read records alone
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["IMAGES", "LOG", "RunFolder", "digest", "read_spec"]

IMAGES = "(images)"
"""The array in ``predictions.npz`` that belongs to no task: the images of each test example."""
FILES = "files.json"
"""Paths by hash of the files among the options of a run on this machine. They are private to it."""
LOG = "log.txt"
"""Output of the process that works on the run, and of its libraries."""
MEND = "Run it again with `mtbench run ... --refresh all`, or restore the file."


class RunFolder:
    """A run on disk, or in a pack. Any process may read it; only the owner of its lease writes its results
    (see `LeasedRun`)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def has_record(self) -> bool:
        """True if there is a record; it is not read here."""
        return size_of(self.path / "record.json") is not None

    @property
    def has_checkpoint(self) -> bool:
        """True if there is a checkpoint; it is not read here."""
        return (self.path / CHECKPOINT).exists()

    @property
    def is_leased(self) -> bool:
        """True if a live process works on the run."""
        return inside(self.path) is None and is_leased(self.path)

    @property
    def holder(self) -> Holder | None:
        """The process that works on the run, if there is one."""
        return holder_of(self.path)

    def spec(self) -> RunSpec:
        """Return the spec of the run, with the paths of the files among its options.

        Raises:
            StoreError: there is no ``spec.json``, or it is not one.
        """
        spec = read_spec(self.path / "spec.json")
        return dataclasses.replace(spec, files={**spec.files, **self._files()})

    def known_spec(self) -> RunSpec:
        """Return the spec of the run: that in its record where ``spec.json`` cannot be read.

        Raises:
            StoreError: neither can be read.
        """
        try:
            return self.spec()
        except StoreError:
            record = self.record()
            if record is None:
                raise
            return record.spec

    def write_spec(self, spec: RunSpec) -> None:
        """Write the spec of the run, and in another file the paths of the files among its options."""
        make_folder(self.path)
        if spec.trial and self.has_record:  # a run that was trained before it was a trial may have been tested
            with suppress(StoreError):
                spec = dataclasses.replace(spec, trial=self.spec().trial)
        texts = {"spec.json": dataclasses.replace(spec, files={}).to_json()}
        if spec.files:
            texts[FILES] = json.dumps({**self._files(), **spec.files}, indent=1, sort_keys=True) + "\n"
        for name, text in texts.items():
            path = self.path / name
            if not path.exists() or path.read_bytes() != text.encode():
                write_text(path, text)

    def record(self) -> Record | None:
        """Return the record of the run, or None if it is not finished.

        Raises:
            DamagedRecord: the record does not match its checksum, or belongs to another run.
            NewerResults: a newer mtbench wrote it.
        """
        path = self.path / "record.json"
        try:
            text = read_guarded(path)
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise DamagedRecord(f"the record {path} cannot be read: {cause.strerror or cause}.") from cause
        except Refused as cause:
            raise DamagedRecord(f"the record {path} is not read: {cause}.") from None
        return read_record(text, str(path))

    def failure(self) -> Failure | None:
        """Return the failure of the last attempt, or None if none has failed."""
        path = self.path / "failure.json"
        try:
            return read_failure(read_guarded(path, SHORT))
        except FileNotFoundError:
            return None
        except (OSError, StoreError, ValueError):  # ValidationError is a ValueError
            message = f"{path} cannot be read"
            return Failure(kind="exception", message=message, traceback="", attempt=1, signal=None)

    def write_failure(self, *, kind: str, message: str, traceback: str = "", signal: int | None = None) -> Failure:
        """Write that one more attempt has failed."""
        before = self.failure()
        attempt = 1 + (before.attempt if before else 0)
        failure = Failure(kind=kind, message=message, traceback=traceback, attempt=attempt, signal=signal)
        write_text(self.path / "failure.json", render_failure(failure))
        return failure

    def model(self, record: Record) -> "dict[str, Tensor]":
        """Return the final weights by name.

        Raises:
            StoreError: there are none, or the file is none of weights.
            DamagedRecord: they do not match the checksum in the record.
        """
        data = self._verified("model.safetensors", record)
        with self._readable("model.safetensors"):
            return read_weights(data)

    def predictions(self, record: Record) -> "dict[str, NDArray[Any]]":
        """Return the stored prediction for each test example, by task.

        Raises:
            StoreError: there are none, or the file is none of arrays.
            DamagedRecord: they do not match the checksum in the record.
        """
        found = self._archive(record)
        found.pop(IMAGES, None)
        return found

    def images(self, record: Record) -> "NDArray[np.int32] | None":
        """Return the numbers of the images that make up each test example, (N, V).

        None if each example is an image, and for runs before they were stored.

        Raises:
            StoreError, DamagedRecord: see `predictions`.
        """
        return self._archive(record).get(IMAGES)

    def _files(self) -> dict[str, str]:
        """Return paths by hash from `FILES`; none if it is missing or damaged, since the next command writes it."""
        if inside(self.path) is not None or not os.path.exists(self.path / FILES):  # nearly every run
            return {}
        try:
            return _FILES.validate_json(read_guarded(self.path / FILES, SHORT))
        except (OSError, StoreError, ValueError):
            return {}

    def _archive(self, record: Record) -> "dict[str, NDArray[Any]]":
        data = self._verified("predictions.npz", record)
        with self._readable("predictions.npz"):
            return read_arrays(data)

    @contextmanager
    def _readable(self, name: str) -> Iterator[None]:
        """Turn what is wrong with a file that matches its checksum, as one from a stranger may, into a StoreError."""
        try:
            yield
        except Unreadable as cause:
            raise StoreError(f"{self.path / name} cannot be read: {cause}.", mend=MEND) from cause

    def _verified(self, name: str, record: Record) -> bytes:
        path = self.path / name
        try:
            data = read_bytes(path)
        except OSError as cause:
            raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.", mend=MEND) from cause
        if (found := digest(data)) != record.files.get(name):
            raise DamagedRecord(f"{path} has the checksum {found}, and its record another.", mend=MEND)
        return data


def read_spec(path: Path) -> RunSpec:
    """Return the spec of a run from a file.

    Raises:
        StoreError: the file cannot be read, or is no spec.
    """
    try:
        spec = RunSpec.from_json(read_guarded(path, SHORT))
        check_spec(spec)
    except OSError as cause:
        raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.") from cause
    except Refused as cause:
        raise StoreError(f"{path} is not read: {cause}.") from None
    except UsageError as cause:
        raise StoreError(f"{path} is not the spec of a run: {cause.given}") from None
    except ValidationError as cause:
        raise StoreError(
            f"{path} is not the spec of a run ({cause.error_count()} fields are wrong).",
            mend="Run the command that made it again, or delete its folder.",
        ) from cause
    return spec


def digest(data: bytes) -> str:
    """Return the SHA-256 of the bytes of a file, as records name it."""
    return hashlib.sha256(data).hexdigest()


_FILES = TypeAdapter(dict[str, str])
