"""One run from its spec to its record: the function behind ``mtbench exec SPEC``, which every engine calls."""

import dataclasses
import json
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import torch

from mtbench.errors import DataError, MtbenchError, NonFiniteLoss, RunError, Stopped, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.fingerprint import fingerprints
from mtbench.store.folder import ClaimedRun, RunFolder
from mtbench.store.record import FORMAT, Fingerprints, Record
from mtbench.store.status import data_fingerprint
from mtbench.train.device import choose_device
from mtbench.train.progress import Progress
from mtbench.train.trained import Trained, train

__all__ = ["execute"]


def execute(spec_path: Path, root: Path, device: str, watch: Callable[[Progress], None] = lambda _: None) -> None:
    """Train the run whose spec this is, from where it was left, and publish its record; nothing if it has one.

    Args:
        spec_path: its ``spec.json``.
        root: the folder of the data files.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        watch: told of progress about twice a second.

    Raises:
        Busy: another live process is at work on it.
        Stopped: this process was asked to end by SIGTERM; the checkpoint stays.
        MtbenchError: as `train`. This and any other exception is put down in ``failure.json`` first.
    """
    run = RunFolder(spec_path.parent)
    spec = run.spec()
    chosen = choose_device(device)
    with _stopped_by_sigterm():
        marks = fingerprints(spec, data_fingerprint(str(spec.dataset), root))
        with run.claimed(_text(marks, chosen)) as claimed:
            if claimed.record() is not None:
                claimed.tidy()
                return
            with _failures_kept(claimed):
                trained = train(spec, root=root, device=chosen, keeper=claimed, watch=watch)
                claimed.publish(_record(spec, trained, marks), trained.model, trained.predictions)


def _text(marks: Fingerprints, device: torch.device) -> str:
    """What a checkpoint must have been made under to be gone on from: bits hold for one torch and kind of device."""
    asked = {"torch": torch.__version__, "device": device.type, **dataclasses.asdict(marks)}
    return json.dumps(asked, sort_keys=True)


def _record(spec: RunSpec, trained: Trained, marks: Fingerprints) -> Record:
    return Record(
        format=FORMAT,
        spec=spec,
        tasks=trained.tasks,
        training_examples=trained.training_examples,
        results=trained.results,
        curve=trained.curve,
        cost=trained.cost,
        parameters=trained.parameters,
        environment=trained.environment,
        fingerprints=marks,
        phases=trained.phases,
        files={},
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        selectivity=trained.selectivity,
    )


@contextmanager
def _failures_kept(claimed: ClaimedRun) -> Iterator[None]:
    try:
        yield
    except RunError as cause:
        if isinstance(cause, NonFiniteLoss):
            claimed.write_failure(kind="nan", message=str(cause))
        raise  # stopped, or taken over by another process: no fault of the run
    except (StoreError, DataError):
        raise  # the fault of the disk or of a file: once that is mended, the same command goes on
    except Exception as cause:
        message = str(cause) if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: {cause}"
        claimed.write_failure(kind="exception", message=message, traceback=traceback.format_exc())
        raise


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM ends the run at once; what a claim and a checkpoint need is done on the way out."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped("the run was stopped.", mend="The same command goes on from its last checkpoint.")

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have a handler
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
