"""The folder of one run: what was asked, how far it is, and what came of it."""

import dataclasses
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from mtbench.errors import Busy, DamagedRecord, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.atomic import make_folder, store_errors, sweep, write_bytes, write_text
from mtbench.store.claim import Claim, is_claimed
from mtbench.store.record import CurvePoint, Record, read_record, render_record

__all__ = ["ATTEMPTS", "LOG", "ClaimedRun", "Failure", "RunFolder"]

ATTEMPTS = 3
"""How often a run may be killed before it is left alone."""
OWNED = ("checkpoint.pt", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json")
"""The files that only the owner of the claim writes."""
FILES = "files.json"
"""Where the files among the options of a run lie on this machine: paths by hash. Not to be shared."""
LOG = "log.txt"
"""What a process at work on the run, and the libraries under it, print."""
PASSING = ("checkpoint.pt", "failure.json", LOG)
"""The files that a finished run needs no more."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run has no record.

    Attributes:
        kind: ``exception``, ``nan`` (a loss was not finite) or ``killed`` (the process died without a word).
        message: what happened, in a sentence.
        traceback: where; empty if nobody knows.
        attempt: how many attempts have failed, this one included.
        signal: what killed the process, if it was killed.
    """

    kind: str
    message: str
    traceback: str
    attempt: int
    signal: int | None

    @property
    def is_to_be_tried(self) -> bool:
        """Whether the next ``mtbench run`` tries again unasked: what kills a process may be gone, a NaN comes again."""
        return self.kind == "killed" and self.attempt < ATTEMPTS


class RunFolder:
    """A run on disk. Anybody may look; only the owner of its claim writes its results."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def has_record(self) -> bool:
        """Whether the run is finished, as far as a glance can tell."""
        return (self.path / "record.json").exists()

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a part of the run to go on from."""
        return (self.path / "checkpoint.pt").exists()

    @property
    def is_claimed(self) -> bool:
        """Whether a live process is at work on it."""
        return is_claimed(self.path)

    def spec(self) -> RunSpec:
        """What was asked, and where the files among its options lie.

        Raises:
            StoreError: there is no ``spec.json``, or it is not one.
        """
        path = self.path / "spec.json"
        try:
            spec = RunSpec.from_json(path.read_bytes())
            return dataclasses.replace(spec, files={**spec.files, **self._files()})
        except OSError as cause:
            raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.") from cause
        except ValidationError as cause:
            raise StoreError(
                f"{path} is not the spec of a run ({cause.error_count()} fields are wrong).",
                mend="Run the command again that made it, which writes it anew, or delete its folder.",
            ) from cause

    def write_spec(self, spec: RunSpec) -> None:
        """Write what is asked, and in a file of its own where the files among its options lie, unless it is there."""
        make_folder(self.path)
        texts = {"spec.json": dataclasses.replace(spec, files={}).to_json()}
        if spec.files:
            texts[FILES] = json.dumps({**self._files(), **spec.files}, indent=1, sort_keys=True) + "\n"
        for name, text in texts.items():
            path = self.path / name
            if not path.exists() or path.read_bytes() != text.encode():
                write_text(path, text)

    def record(self) -> Record | None:
        """What came of the run, or None if it is not finished.

        Raises:
            DamagedRecord: the record does not match its checksum, or is that of another run.
            NewerResults: a newer mtbench wrote it.
        """
        path = self.path / "record.json"
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise DamagedRecord(f"the record {path} cannot be read: {cause.strerror or cause}.") from cause
        return read_record(text, str(path))

    def failure(self) -> Failure | None:
        """Why there is no record, if an attempt has failed."""
        path = self.path / "failure.json"
        try:
            return _FAILURE.validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            message = f"{path} cannot be read"
            return Failure(kind="exception", message=message, traceback="", attempt=1, signal=None)

    def write_failure(self, *, kind: str, message: str, traceback: str = "", signal: int | None = None) -> Failure:
        """Put down that one more attempt has failed."""
        before = self.failure()
        attempt = 1 + (before.attempt if before else 0)
        failure = Failure(kind=kind, message=message, traceback=traceback, attempt=attempt, signal=signal)
        write_text(self.path / "failure.json", json.dumps(asdict(failure), indent=1) + "\n")
        return failure

    def model(self, record: Record) -> dict[str, Tensor]:
        """The final weights.

        Raises:
            StoreError: they are not there.
            DamagedRecord: they are not those that the record speaks of.
        """
        return safetensors.torch.load(self._verified("model.safetensors", record))

    def predictions(self, record: Record) -> dict[str, NDArray[np.uint8]]:
        """By task, the predicted class of each test example.

        Raises:
            StoreError: they are not there.
            DamagedRecord: they are not those that the record speaks of.
        """
        with np.load(io.BytesIO(self._verified("predictions.npz", record)), allow_pickle=False) as archive:
            return dict(archive)

    def tidy_up(self) -> None:
        """Remove what a process left behind that was killed right after it had published its record."""
        if any((self.path / name).exists() for name in PASSING) or any(self.path.glob("claim.*")):
            with suppress(Busy), self.claimed() as claimed:
                claimed.tidy()

    @contextmanager
    def claimed(self, marks: str = "") -> Iterator["ClaimedRun"]:
        """The right to work on the run while the block lasts.

        Args:
            marks: stands for everything that makes this run's numbers; a checkpoint made under other marks is not
                gone on from.

        Raises:
            Busy: another live process has it.
        """
        with Claim(self.path) as claim:
            sweep(self.path, OWNED)
            yield ClaimedRun(self.path, claim, marks)

    def _files(self) -> dict[str, str]:
        """Paths by hash from `FILES`; none if it is not there or damaged, since the next command writes it anew."""
        try:
            return _FILES.validate_json((self.path / FILES).read_bytes())
        except (OSError, ValidationError):
            return {}

    def _verified(self, name: str, record: Record) -> bytes:
        path = self.path / name
        mend = "Run it again with `mtbench run ... --refresh all`, or restore the file."
        try:
            data = path.read_bytes()
        except OSError as cause:
            raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.", mend=mend) from cause
        if (found := _sha256(data)) != record.files.get(name):
            raise DamagedRecord(f"{path} has the checksum {found}, and its record another.", mend=mend)
        return data


class ClaimedRun(RunFolder):
    """A run that this process owns. Before it writes anything it makes sure that this is still so."""

    def __init__(self, path: Path, claim: Claim, marks: str) -> None:
        super().__init__(path)
        self._claim = claim
        self._marks = marks

    def restore(self) -> dict[str, Any] | None:
        """The state that `keep` was given last; None if there is none that can be gone on from."""
        try:
            kept = torch.load(self.path / "checkpoint.pt", weights_only=True, map_location="cpu")
        except FileNotFoundError:
            return None
        except Exception:  # torch says in many ways that a file is no checkpoint: begin again, to the same numbers
            return None
        return kept["state"] if kept["marks"] == self._marks else None

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        """Put down a state to go on from, and the curve up to it.

        Raises:
            Busy: the run was taken over.
            StoreError: it cannot be written.
        """
        self._claim.check()
        # Not straight into the file: what torch says of a full disk is not what the system says.
        buffer = io.BytesIO()
        torch.save({"marks": self._marks, "state": state}, buffer)
        write_bytes(self.path / "checkpoint.pt", buffer.getvalue())
        self._write_curve(curve)

    def write_failure(self, *, kind: str, message: str, traceback: str = "", signal: int | None = None) -> Failure:
        """As `RunFolder.write_failure`, but of a run that is still this process's own.

        Raises:
            Busy: the run was taken over, and how this attempt ended concerns nobody.
        """
        self._claim.check()
        return super().write_failure(kind=kind, message=message, traceback=traceback, signal=signal)

    def publish(
        self, record: Record, model: Mapping[str, Tensor], predictions: Mapping[str, NDArray[np.uint8]]
    ) -> Record:
        """Put down what came of the run: the record last, so that where it is everything is.

        Args:
            record: without the checksums of files, which are added here.
            model: the final weights.
            predictions: by task, the predicted class of each test example.

        Returns:
            the record as it was written.

        Raises:
            Busy: the run was taken over.
            StoreError: it cannot be written.
        """
        weights = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in model.items()})
        archive = io.BytesIO()
        np.savez_compressed(archive, allow_pickle=False, **dict(predictions))
        files = {"model.safetensors": weights, "predictions.npz": archive.getvalue()}
        record = dataclasses.replace(record, files={name: _sha256(data) for name, data in files.items()})
        self._claim.check()
        self._write_curve(record.curve)
        for name, data in files.items():
            write_bytes(self.path / name, data)
        self._claim.check()
        write_text(self.path / "record.json", render_record(record))
        self.tidy()
        return record

    def tidy(self) -> None:
        """Remove what a finished run needs no more."""
        with store_errors(self.path):
            for name in PASSING:
                (self.path / name).unlink(missing_ok=True)

    def supersede(self) -> None:
        """Move what came of the run out of the way, into the next free ``superseded-<n>``."""
        self._claim.check()
        with store_errors(self.path):
            number = 1
            while (target := self.path / f"superseded-{number}").exists():
                number += 1
            target.mkdir()
            # The record goes first: from then on the run counts as not finished.
            for name in ("record.json", "failure.json", *sorted(set(OWNED) - {"record.json", "checkpoint.pt"})):
                if (self.path / name).exists():
                    shutil.move(self.path / name, target / name)

    def _write_curve(self, curve: Sequence[CurvePoint]) -> None:
        lines = [json.dumps(asdict(point), sort_keys=True) + "\n" for point in curve]
        write_text(self.path / "curve.jsonl", "".join(lines))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_FAILURE = TypeAdapter(Failure)
_FILES = TypeAdapter(dict[str, str])
