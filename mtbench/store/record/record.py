"""The record of a finished run, the only file that reports need."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.errors import DamagedRecord, NewerResults, UsageError
from mtbench.plan.checked import LARGEST_NUMBER, check_spec, with_checked_titles
from mtbench.plan.spec import RunSpec
from mtbench.store.record.circumstances import Cost, Environment, Fingerprints, Parameters, PhaseInfo
from mtbench.store.record.diagnosis import Selectivity
from mtbench.store.record.formats import record_from_1
from mtbench.store.record.measured import (
    BatchMeans,
    Constant,
    CurvePoint,
    Measurement,
    StoredPredictions,
    TaskInfo,
    TaskResult,
)
from mtbench.store.record.numerics import Numerics
from mtbench.store.record.pointing import Pointing
from mtbench.store.record.sealed import Later, Unsealed, seal, unseal

__all__ = ["FORMAT", "Record", "newer", "read_record", "render_record"]

FORMAT = 2
"""Raised when an earlier mtbench can no longer read a record; earlier formats are read by `formats`."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A finished run.

    Attributes:
        format: the version of this layout.
        spec: the request for the run.
        tasks: the tasks in the dataset's order, each with all its metrics.
        training_examples: the number of different examples that were trained on.
        results: results by split and task, with the weights of the selected epoch; without the test split if the run is
            a trial of a search.
        selected_epoch: the epoch whose weights were tested and stored, counted from 1: the last one, unless the
            training protocol selects the best one on the validation split.
        curve: the points that were measured during training.
        cost: the resources that the run used.
        parameters: the size of the network.
        environment: the program and the system.
        numerics: the circumstances that affect the last bits; they never make a record stale.
        fingerprints: fingerprints of the code and data that make numbers; if they changed, the record is stale.
        files: the SHA-256 sum of each file beside the record.
        sizes: the number of bytes of each of these files; empty in records made before they were stored.
        predictions: the form in which the test predictions of each task are stored.
        finished: the time of the end, in ISO 8601.
        selectivity: None if the training protocol did not request it, or if it cannot be measured for this network and
            tasks.
        phases: the phases in order, if there are several; empty if everything was trained at once.
        measurements: further numbers by name.
        constants: the results of the best constant prediction, by task; without tasks whose kind has none or that lack
            labels in training or test, and empty in records made before they were computed.
        pointing: pointing of a network with an attention map, on a dataset with points; else None.
        batch_means: means of the test split with the weights of the selected epoch, as in `CurvePoint`.
        notes: sentences about the run, such as one on numerics that changed between attempts.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int
    spec: RunSpec
    tasks: tuple[TaskInfo, ...]
    training_examples: int
    results: Mapping[str, Mapping[str, TaskResult]]
    curve: tuple[CurvePoint, ...]
    cost: Cost
    parameters: Parameters
    environment: Environment
    numerics: Numerics
    fingerprints: Fingerprints
    files: Mapping[str, str]
    finished: str
    selected_epoch: int
    predictions: Mapping[str, StoredPredictions] = field(default_factory=dict)
    selectivity: Selectivity | None = None
    phases: tuple[PhaseInfo, ...] = ()
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    pointing: Pointing | None = None
    batch_means: tuple[BatchMeans, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """The number of epochs of its training, in all phases."""
        return sum(phase.epochs for phase in self.phases) or self.spec.protocol.epochs

    def score(self, task: TaskInfo, split: str = "test") -> float:
        """Return the metric of one task that tables show; NaN if the record has no such split."""
        return self.results[split][task.name].metrics[task.metric] if split in self.results else math.nan

    def value(self, task: str, metric: str, split: str = "test") -> float:
        """Return a metric of a task; NaN if the record has no such split, task or metric, as one of format 1 may."""
        result = self.results.get(split, {}).get(task)
        return result.metrics.get(metric, math.nan) if result else math.nan

    def mean(self, split: str = "test", metric: str = "") -> float:
        """Return the unweighted mean over the tasks of a metric; of the primary ones if none is named."""
        values = [self.value(task.name, metric or task.metric, split) for task in self.tasks]
        return sum(values) / len(values)


def render_record(record: Record) -> str:
    """Return the text of ``record.json``: the record and its checksum, in strict JSON with null for NaN.

    Paths of the files among the options are left out, since they have no meaning for others.
    """
    return seal("record", asdict(dataclasses.replace(record, spec=dataclasses.replace(record.spec, files={}))))


def read_record(text: str | bytes, where: str) -> Record:
    """Read ``record.json`` and check it against its own checksum, and the titles in its spec against the rest of it.

    Args:
        where: the file, for the error.

    Raises:
        DamagedRecord: it is not a record, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    try:
        body = unseal("record", text, newest=FORMAT)
    except Later as cause:
        raise newer(where, cause.found) from None
    except Unsealed as cause:
        raise _damaged(where, str(cause)) from None
    try:
        record = _READER.validate_python(record_from_1(body) if body["format"] == 1 else body)
    except (ValidationError, AttributeError, LookupError, TypeError) as cause:
        raise _damaged(where, f"it is not a record ({_amiss(cause)})") from None
    try:
        check_spec(record.spec)
    except UsageError as cause:
        raise _damaged(where, cause.given.rstrip(".")) from None
    if lacking := next(_lacking(record), ""):
        raise _damaged(where, f"it has no result of task {lacking}")
    if (largest := max(_counts(record))) > LARGEST_NUMBER:
        raise _damaged(where, f"it counts {largest:.3g} of something")
    spec = with_checked_titles(record.spec)
    return record if spec is record.spec else dataclasses.replace(record, spec=spec)


def _lacking(record: Record) -> Iterator[str]:
    """Yield each task without its primary metric on a split, at the end or at a point of the curve."""
    for found in (record.results, *(point.results for point in record.curve)):
        for split, results in found.items():
            for task in record.tasks:
                if task.name not in results or task.metric not in results[task.name].metrics:
                    yield f"'{task.name}' on the {split} split"


def _counts(record: Record) -> Iterator[int]:
    """Yield the whole numbers that become columns of tables."""
    yield from (record.training_examples, record.selected_epoch, record.numerics.threads)
    for part in (record.cost, record.parameters):
        yield from (value for value in vars(part).values() if isinstance(value, int))
    for point in record.curve:
        yield from (point.epoch, point.steps, point.label_uses)
    yield from (result.count for results in record.results.values() for result in results.values())


def _amiss(cause: Exception) -> str:
    return f"{cause.error_count()} fields are wrong" if isinstance(cause, ValidationError) else "fields are missing"


def newer(where: str, found: int) -> NewerResults:
    """Return the error for results of a later format."""
    return NewerResults(
        f"{where} has format {found}, and this mtbench reads formats up to {FORMAT}.",
        mend="Upgrade mtbench, or give another folder with --results.",
    )


def _damaged(where: str, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"the record {where} is damaged: {what}.",
        mend="Run it again with `mtbench run ... --refresh damaged`, or restore the file.",
    )


_READER = TypeAdapter(Record)
