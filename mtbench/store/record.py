"""What a finished run leaves behind: the only thing that reports read."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.contract import Metric, Task
from mtbench.errors import DamagedRecord, NewerResults
from mtbench.plan.spec import RunSpec
from mtbench.store.diagnosis import Conflict, Selectivity
from mtbench.store.formats import record_from_1
from mtbench.store.numerics import Numerics
from mtbench.store.sealed import Later, Number, Unsealed, seal, unseal

__all__ = [
    "FORMAT",
    "Code",
    "Cost",
    "CurvePoint",
    "Environment",
    "Fingerprints",
    "Measurement",
    "Parameters",
    "PhaseInfo",
    "Record",
    "StoredPredictions",
    "TaskInfo",
    "TaskResult",
    "WeightRange",
    "read_record",
    "render_record",
]

FORMAT = 2
"""Raised when a record can no longer be read by the mtbench before it; earlier formats are read by `formats`."""


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task as tables need it.

    Attributes:
        name: the name of the task.
        metrics: all metrics of its kind, the primary one first.
    """

    name: str
    metrics: tuple[Metric, ...]

    @staticmethod
    def of(task: Task) -> "TaskInfo":
        """Return the entry of a task of a dataset."""
        return TaskInfo(name=task.name, metrics=tuple(task.kind.metrics))

    @property
    def delta_metrics(self) -> tuple[Metric, ...]:
        """The metrics that are a part of Δm, the primary one first."""
        return (self.metrics[0], *(metric for metric in self.metrics[1:] if metric.in_delta))

    @property
    def metric(self) -> str:
        """The name of the primary metric."""
        return self.metrics[0].name

    @property
    def unit(self) -> str:
        """The unit of the primary metric."""
        return self.metrics[0].unit

    @property
    def higher_is_better(self) -> bool:
        """The direction of the primary metric."""
        return self.metrics[0].higher_is_better


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """How one task was done on one split.

    Attributes:
        loss: the mean loss over the defined targets, in evaluation mode.
        count: how many targets were defined.
        metrics: by name, in the metric's unit.
    """

    loss: Number
    count: int
    metrics: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class WeightRange:
    """The weight that a balancer gave a task: the coefficient of its gradient in the shared parameters.

    Attributes:
        mean: over the steps since the point before, of those with a label of the task.
        low: the least of these.
        high: the greatest.
    """

    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A line of ``curve.jsonl``.

    Attributes:
        epoch: how many epochs were finished.
        steps: how many optimizer steps.
        label_uses: how many labels had entered a loss.
        train_losses: by task, the mean training loss over the labels used in that epoch, the method's auxiliary losses
            included; NaN for a task that was absent.
        results: by split and task.
        conflict: of the tasks' gradients over that epoch; None if the protocol did not ask for it, or if the tasks
            share no parameter.
        weights: by task, the weights that the balancer used since the point before; None if no weights describe it.
    """

    epoch: int
    steps: int
    label_uses: int
    train_losses: Mapping[str, Number]
    results: Mapping[str, Mapping[str, TaskResult]]
    conflict: Conflict | None = None
    weights: Mapping[str, WeightRange] | None = None


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost ledger of the training (evaluation is not counted in labels and passes, but is in seconds and memory).

    Attributes:
        steps: optimizer steps.
        label_uses: labels that entered a loss.
        forward_passes: inputs put through the network.
        wall_seconds: on the clock, over all attempts up to the checkpoints that were gone on from.
        cpu_seconds: of the process's user and system time, likewise.
        training_wall_seconds: of `wall_seconds` those that went into training steps; NaN in records made before they
            were told apart.
        training_cpu_seconds: likewise.
        peak_memory: bytes, of the process (CPU) or of the allocator (CUDA).
        macs_per_task: multiply-accumulates to answer one task for one example.
        macs_per_input: multiply-accumulates to answer every task for one example.
    """

    steps: int
    label_uses: int
    forward_passes: int
    wall_seconds: float
    cpu_seconds: float
    peak_memory: int
    macs_per_task: int
    macs_per_input: int
    training_wall_seconds: Number = math.nan
    training_cpu_seconds: Number = math.nan


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """How many trainable numbers, without and with biases.

    Attributes:
        weights: of the whole network, biases left out.
        total: of the whole network.
        single_weights: of the single-task network (default backbone and one head), biases left out.
        single_total: likewise, with biases.
    """

    weights: int
    total: int
    single_weights: int
    single_total: int


@dataclass(frozen=True, kw_only=True)
class PhaseInfo:
    """What was trained in one phase of a run that adds a task.

    Attributes:
        name: ``first`` for what comes before the task is added; then ``own`` or ``all``, what its protocol adds it by.
        epochs: how many.
        parameters: how many numbers of the network were trained.
        weights: likewise, biases left out.
        tasks: by name those that were trained on.
    """

    name: str
    epochs: int
    parameters: int
    weights: int
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The program and the system of a run; what its last bits depend on is in `Numerics`.

    Attributes:
        mtbench: the version of mtbench.
        python: the version of Python.
        platform: the operating system, as Python names it.
    """

    mtbench: str
    python: str
    platform: str


@dataclass(frozen=True, kw_only=True)
class StoredPredictions:
    """The predictions of one task on the test split, or the reason why they are not stored.

    Attributes:
        dtype: of the array in ``predictions.npz``, e.g. ``uint8``; empty if there is none.
        shape: of the array; empty if there is none.
        why_not: a sentence; empty if they are stored.
    """

    dtype: str = ""
    shape: tuple[int, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A number that a run measured besides, for which the format has no field.

    Attributes:
        value: the number.
        unit: e.g. ``s`` or ``MB``; empty for a plain number.
    """

    value: Number
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """The code of one part of a run.

    Attributes:
        distribution: the package that it came from.
        version: the version of that package.
        hash: of the syntax trees of its modules, without what makes no numbers.
    """

    distribution: str
    version: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """What makes numbers: if any of it changes, the record is stale.

    Attributes:
        numerics: the harness's own, `mtbench.store.fingerprint.NUMERICS`.
        code: by part: ``network``, ``balancer``, ``backbone``, ``dataset``.
        data: a hash of the data themselves.
    """

    numerics: int
    code: Mapping[str, Code]
    data: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """A finished run.

    Attributes:
        format: the version of this layout.
        spec: what was asked.
        tasks: in the dataset's order, each with all its metrics.
        training_examples: the number of different ones that were trained on.
        results: by split and task, with the weights of the selected epoch.
        selected_epoch: the epoch whose weights were tested and stored, counted from 1: the last one, unless the
            training protocol selects the best on the validation split.
        curve: the points that were measured during training.
        cost: the resources that the run used.
        parameters: the size of the network.
        environment: the program and the system.
        numerics: what the last bits depend on; it never makes a record stale.
        fingerprints: the code and data that make numbers; where they changed, the record is stale.
        files: the SHA-256 sum of each file beside the record.
        predictions: by task, the form in which its test predictions are stored.
        finished: the time, in ISO 8601.
        selectivity: None if the protocol did not ask for it, or if it cannot be measured of this network and tasks.
        phases: in order, where a task was added; empty where everything was trained at once.
        measurements: further numbers by name.
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
    notes: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs it was trained for, in all phases."""
        return sum(phase.epochs for phase in self.phases) or self.spec.protocol.epochs

    def score(self, task: TaskInfo, split: str = "test") -> float:
        """The metric that tables show, of one task."""
        return self.results[split][task.name].metrics[task.metric]

    def value(self, task: str, metric: str, split: str = "test") -> float:
        """A metric of a task; NaN where the record has no such task or metric, as one of format 1 may lack it."""
        result = self.results[split].get(task)
        return result.metrics.get(metric, math.nan) if result else math.nan

    def mean(self, split: str = "test", metric: str = "") -> float:
        """The unweighted mean over the tasks of a metric; of the primary ones if none is named."""
        values = [self.value(task.name, metric or task.metric, split) for task in self.tasks]
        return sum(values) / len(values)


def render_record(record: Record) -> str:
    """Return the text of ``record.json``: the record and its checksum, in strict JSON with null for NaN.

    Paths of the files among the options are left out, since they say nothing to others.
    """
    return seal("record", asdict(dataclasses.replace(record, spec=dataclasses.replace(record.spec, files={}))))


def read_record(text: str | bytes, where: str) -> Record:
    """Read ``record.json`` and check it against its own checksum.

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
        return _READER.validate_python(record_from_1(body) if body["format"] == 1 else body)
    except (ValidationError, LookupError, TypeError) as cause:
        raise _damaged(where, f"it is not a record ({_amiss(cause)})") from None


def _amiss(cause: Exception) -> str:
    return f"{cause.error_count()} fields are wrong" if isinstance(cause, ValidationError) else "fields are missing"


def newer(where: str, found: int) -> NewerResults:
    """The error for results of a later format."""
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
