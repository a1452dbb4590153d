"""A run that this process works on: everything that only the owner of its lease writes."""

import dataclasses
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.errors import Busy, StoreError
from mtbench.store.files.atomic import store_errors, sweep, write_bytes, write_text
from mtbench.store.record import CurvePoint, Record, render_record
from mtbench.store.record.sealed import strict_json
from mtbench.store.run.attempting import AttemptLog
from mtbench.store.run.attempts import FILE as ATTEMPTS
from mtbench.store.run.checkpoint import CHECKPOINT, CheckpointFile
from mtbench.store.run.failure import Failure
from mtbench.store.run.folder import IMAGES, LOG, RunFolder, digest
from mtbench.store.run.lease import Lease

if TYPE_CHECKING:  # NumPy and torch are imported where arrays are written
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["LeasedRun", "leased", "tidy_up"]

OWNED = (CHECKPOINT, ATTEMPTS, "curve.jsonl", "model.safetensors", "predictions.npz", "record.json")
"""The files that only the owner of the lease writes."""
PASSING = (CHECKPOINT, "failure.json", LOG)
"""The files that a finished run no longer needs."""


@contextmanager
def leased(run: RunFolder, checkpoint: CheckpointFile | None = None) -> Iterator["LeasedRun"]:
    """Lease a run for the duration of the block; the log of a process that died on it gets its end.

    Args:
        checkpoint: the checkpoint of the run, for a process that trains it.

    Raises:
        Busy: another live process has the run.
    """
    with Lease(run.path) as lease:
        sweep(run.path, OWNED)
        yield LeasedRun(run.path, lease, checkpoint or CheckpointFile(run.path))


def tidy_up(run: RunFolder) -> None:
    """Remove the files of a process that was killed right after it had published its record, or while it did."""
    is_untidy = any((run.path / name).exists() for name in PASSING)
    if is_untidy or any(run.path.glob("claim.*")) or any(run.path.glob(".*.tmp")):
        with suppress(Busy), leased(run) as held:
            held.tidy()


class LeasedRun(RunFolder):
    """A run that this process has leased. Before each write it checks that it still owns the lease.

    Attributes:
        checkpoint: the state that the run is resumed from, and notes on the course of the run.
        attempts: the log of attempts at the run.
    """

    def __init__(self, path: Path, lease: Lease, checkpoint: CheckpointFile) -> None:
        super().__init__(path)
        self.checkpoint = checkpoint
        self.attempts = AttemptLog(path, lease)
        self._lease = lease

    def restore(self) -> dict[str, Any] | None:
        """Return the last state given to `keep`; None if there is none that the run can be resumed from.

        Raises:
            Busy: the run was taken over.
            StoreError: an unusable checkpoint cannot be renamed.
        """
        with self._owned():
            state = self.checkpoint.read()
            self.attempts.resumed(state)
            return state

    def reject(self, why: str) -> None:
        """Rename a checkpoint that cannot be used, and note it (see `CheckpointFile.reject`).

        Raises:
            Busy: the run was taken over.
            StoreError: the checkpoint cannot be renamed.
        """
        with self._owned():
            self.checkpoint.reject(why)

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        """Write the curve, and a state to resume from if one is due (see `CheckpointFile.is_due`).

        Raises:
            Busy: the run was taken over.
            StoreError: it cannot be written.
        """
        with self._owned():
            if self.checkpoint.is_due:
                self.checkpoint.write(state, self._lease.check)
                self.attempts.kept(state["epoch"])
            self._write_curve(curve)

    def write_failure(self, *, kind: str, message: str, traceback: str = "", signal: int | None = None) -> Failure:
        """Write that one more attempt has failed, of a run that this process still owns.

        Raises:
            Busy: the run was taken over, so that this attempt no longer matters.
        """
        with self._owned():
            return super().write_failure(kind=kind, message=message, traceback=traceback, signal=signal)

    def publish(
        self,
        record: Record,
        model: "Mapping[str, Tensor]",
        predictions: "Mapping[str, NDArray[Any]]",
        images: "NDArray[np.int32] | None" = None,
    ) -> Record:
        """Write the results of the run, the record last: if it exists, the other files exist.

        Args:
            record: the record without the checksums of files, which are added here.
            model: the final weights.
            predictions: predictions of the test examples, by task.
            images: (N, V) the numbers of the images that make up each example; None if each is an image.

        Returns:
            the record as it was written.

        Raises:
            Busy: the run was taken over.
            StoreError: it cannot be written.
        """
        import numpy as np
        import safetensors.torch

        weights = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in model.items()})
        archive = io.BytesIO()
        members = {} if images is None else {IMAGES: images}
        np.savez_compressed(archive, allow_pickle=False, **{**predictions, **members})
        files = {"model.safetensors": weights, "predictions.npz": archive.getvalue()}
        record = dataclasses.replace(
            record,
            files={name: digest(data) for name, data in files.items()},
            sizes={name: len(data) for name, data in files.items()},
        )
        with self._owned():
            self._write_curve(record.curve)
            for name, data in files.items():
                write_bytes(self.path / name, data, self._lease.check)
        with self._owned():
            write_text(self.path / "record.json", render_record(record), self._lease.check)
        self.attempts.kept(record.curve[-1].epoch if record.curve else 0)
        self.tidy()
        return record

    def tidy(self) -> None:
        """Remove the files that a finished run no longer needs."""
        with store_errors(self.path):
            for name in PASSING:
                (self.path / name).unlink(missing_ok=True)

    def supersede(self) -> None:
        """Move the results of the run into the next free ``superseded-<n>``."""
        self._lease.check()
        with store_errors(self.path):
            number = 1
            while (target := self.path / f"superseded-{number}").exists():
                number += 1
            target.mkdir()
            # The record is moved first: after that the run counts as not finished.
            for name in ("record.json", "failure.json", *sorted(set(OWNED) - {"record.json", CHECKPOINT})):
                if (self.path / name).exists():
                    shutil.move(self.path / name, target / name)

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """Check the lease before the block and, if a write fails there, again: then the run may have been taken over.

        Raises:
            Busy: the run was taken over.
            StoreError: its folder was removed, or a write failed for another reason.
        """
        self._lease.check()
        try:
            yield
        except StoreError:
            self._lease.check()
            raise

    def _write_curve(self, curve: Sequence[CurvePoint]) -> None:
        lines = [strict_json(asdict(point), sort_keys=True) + "\n" for point in curve]
        write_text(self.path / "curve.jsonl", "".join(lines), self._lease.check)
