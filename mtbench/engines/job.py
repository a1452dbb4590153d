"""One run from its spec to its record: the function behind ``mtbench exec SPEC``, which every engine calls."""

import traceback
from bdb import Bdb
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch

from mtbench.engines.heap import keep_freed_memory
from mtbench.engines.stop import Stop
from mtbench.errors import (
    Busy,
    DataError,
    MtbenchError,
    NegativeLoss,
    NonFiniteLoss,
    RunError,
    Stopped,
    StoreError,
    UnfitState,
    is_out_of_memory,
)
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.data import data_fingerprint
from mtbench.store.identity.expected import read_expected
from mtbench.store.identity.fingerprint import fingerprints
from mtbench.store.record import FORMAT, Fingerprints, Record, StoredPredictions
from mtbench.store.run.attempts import DONE, STOPPED, fruitless, read_attempts
from mtbench.store.run.checkpoint import CheckpointFile
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import LeasedRun, leased, tidy_up
from mtbench.train.cost.speeds import Speeds
from mtbench.train.machine.device import choose_device, deterministic
from mtbench.train.machine.numerics import numerics
from mtbench.train.progress import Progress
from mtbench.train.trained import Trained, train

__all__ = ["FRUITLESS", "execute"]

FRUITLESS = 3
"""Attempts in one job without a finished epoch, after which the run is refused there."""


def execute(
    run: RunFolder,
    spec: RunSpec,
    root: Path,
    device: str,
    watch: Callable[[Progress], None] = lambda _: None,
    *,
    say: Callable[[str], None] = lambda _: None,
    stop: Stop | None = None,
    debugger: Bdb | None = None,
    checkpoint_every: float = 0,
    job: str = "",
    expected: Path | None = None,
) -> None:
    """Train the run of a spec, from its checkpoint if it has one, and publish its record, unless it has a record.

    Args:
        run: the folder of the run.
        spec: the run's spec, with the paths of files among its options.
        root: the folder of the data files.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        watch: called with the progress about twice a second.
        say: called with each note on the run as a sentence, e.g. that its checkpoint cannot be used.
        stop: the request to end early, if there can be one.
        debugger: the debugger that `train` runs under from its first line, if there is one. Then no error is written,
            and no attempt is logged.
        checkpoint_every: seconds after a checkpoint before which no other is written at the end of an epoch.
        job: the name of the job at a scheduler, for the log of attempts; empty without one.
        expected: a file of fingerprints that the code of the run must have (see `mtbench.store.identity.expected`).

    Raises:
        Busy: another live process works on the run.
        Stopped: `stop` was requested, or the debugger was quit. The checkpoint stays. Any other error after the
            request, e.g. when a signal reached the processes of a data loader too, is no failure of the run.
        CodeChanged: the code of the run is not that of `expected`. Nothing is written.
        RunError: the last `FRUITLESS` attempts in this job were stopped or lost before they had finished an epoch.
        MtbenchError: the errors of `train`. This and any other exception is written to ``failure.json`` first.
    """
    stop = stop or Stop()
    keep_freed_memory()
    with _errors_told_apart(run, stop):
        chosen = choose_device(device)
        stop.check()
        found = fingerprints(spec, data_fingerprint(spec.dataset, root, spec.files))
        stop.check()
        if expected is not None and not run.has_record:
            read_expected(expected).check(spec, found)
        marks, circumstances = _marks(spec, found, chosen), _numerics(spec, chosen)
        checkpoint = CheckpointFile(run.path, marks, circumstances, say, every=checkpoint_every)
        with leased(run, checkpoint) as held:
            if held.record() is not None:
                held.tidy()
                return
            _refuse_fruitless(run, job)
            with nullcontext() if debugger else _attempted(held, job, say, stop):
                trained = _trained(spec, root, chosen, held, watch, stop, debugger)
                record = _record(spec, trained, found, held.checkpoint.notes)
                held.publish(record, trained.model, trained.predictions, trained.images)
                Speeds(chosen).learn(record)


@contextmanager
def _errors_told_apart(run: RunFolder, stop: Stop) -> Iterator[None]:
    """Raise Stopped in place of any error after a request to stop; tidy up a run that another process has finished."""
    try:
        yield
    except Stopped:
        raise
    except Busy:
        if run.has_record:  # this process may have been stopped between its last check of the lease and a write
            tidy_up(run)
        raise
    except Exception:
        stop.check()
        raise


def _trained(
    spec: RunSpec,
    root: Path,
    device: torch.device,
    held: LeasedRun,
    watch: Callable[[Progress], None],
    stop: Stop,
    debugger: Bdb | None,
) -> Trained:
    training = partial(train, spec, root=root, device=device, keeper=held, watch=watch, check_stop=stop.check)
    call = training if debugger is None else partial(_debugged, debugger, training)
    try:
        return call()
    except UnfitState as cause:
        held.reject(str(cause))
    return call()


def _debugged(debugger: Bdb, training: Callable[[], Trained]) -> Trained:
    """Return what a debugger lets the training return.

    Raises:
        Stopped: it was quit.
    """
    trained: Trained | None = debugger.runcall(training)
    if trained is None:
        raise Stopped("the debugger was quit.", mend="The run is left as it was.")
    return trained


def _marks(spec: RunSpec, found: Fingerprints, device: torch.device) -> Mapping[str, str]:
    """Return the marks that must be equal to resume from a checkpoint; bits hold for one torch and kind of device."""
    codes = {
        f"code of the {part}": f"{code.distribution} {code.version} {code.hash}" for part, code in found.code.items()
    }
    return {
        "run": spec.id,
        "torch": torch.__version__,
        "device": device.type,
        "NUMERICS": str(found.numerics),
        "data": found.data,
        **codes,
    }


def _numerics(spec: RunSpec, device: torch.device) -> Mapping[str, str]:
    """Return by name the circumstances that may change the last bits of a number; a change within a run is noted."""
    deterministic(device, spec.protocol.precision)  # sets the number of threads
    method = spec.resolve().method
    return numerics(device, (method.network_class, method.balancer_class)).aspects()


def _record(spec: RunSpec, trained: Trained, marks: Fingerprints, notes: Sequence[str]) -> Record:
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
        numerics=trained.numerics,
        fingerprints=marks,
        selected_epoch=trained.selected_epoch,
        predictions={
            **{
                name: StoredPredictions(dtype=str(array.dtype), shape=array.shape)
                for name, array in trained.predictions.items()
            },
            **{name: StoredPredictions(why_not=why) for name, why in trained.not_stored.items()},
        },
        phases=trained.phases,
        files={},
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        selectivity=trained.selectivity,
        constants=trained.constants,
        pointing=trained.pointing,
        batch_means=trained.batch_means,
        measurements=trained.measurements,
        notes=tuple(notes),
    )


def _refuse_fruitless(run: RunFolder, job: str) -> None:
    """Refuse a run that its job was started for again and again without a new checkpoint, which would never end."""
    attempts = [attempt for attempt in read_attempts(run.path) if attempt.job == job]
    if fruitless(attempts) >= FRUITLESS:
        raise RunError(
            f"job {job} was started {FRUITLESS} times, and no epoch of the run fitted into the time that it had.",
            mend="Submit it with more time for each job.",
        )


@contextmanager
def _attempted(held: LeasedRun, job: str, say: Callable[[str], None], stop: Stop) -> Iterator[None]:
    """Log the block as an attempt at the run, and write its failure if it is one."""
    held.attempts.begin(job, say)
    try:
        with _failures_kept(held, stop):
            yield
    except BaseException as cause:
        is_stopped = stop.requested or isinstance(cause, Stopped | KeyboardInterrupt)
        name = "" if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: "
        held.attempts.end(STOPPED if is_stopped else f"failed: {name}{cause}")
        raise
    held.attempts.end(DONE)


@contextmanager
def _failures_kept(held: LeasedRun, stop: Stop) -> Iterator[None]:
    try:
        yield
    except RunError as cause:
        if isinstance(cause, NonFiniteLoss | NegativeLoss) and not stop.requested:
            kind = "nan" if isinstance(cause, NonFiniteLoss) else "negative"
            held.write_failure(kind=kind, message=str(cause))
        raise  # stopped, or taken over by another process: no fault of the run
    except (StoreError, DataError):
        raise  # the fault of the disk or of a file: once that is repaired, the same command resumes the run
    except Exception as cause:
        if stop.requested:
            raise
        kind = "memory" if is_out_of_memory(cause) else "exception"
        message = str(cause) if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: {cause}"
        held.write_failure(kind=kind, message=message, traceback=traceback.format_exc())
        raise
