"""What a finished run leaves behind: the only thing that reports read."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.contract import Task
from mtbench.errors import DamagedRecord, NewerResults
from mtbench.plan.spec import RunSpec
from mtbench.store.diagnosis import Conflict, Selectivity
from mtbench.store.sealed import Later, Unsealed, seal, unseal

__all__ = [
    "FORMAT",
    "Code",
    "Cost",
    "CurvePoint",
    "Environment",
    "Fingerprints",
    "Parameters",
    "PhaseInfo",
    "Record",
    "TaskInfo",
    "TaskResult",
    "read_record",
    "render_record",
]

FORMAT = 1
"""Raised when a record can no longer be read by the mtbench before it."""


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task as tables need it: its name, and the first metric of its kind."""

    name: str
    metric: str
    unit: str
    higher_is_better: bool

    @staticmethod
    def of(task: Task) -> "TaskInfo":
        """What tables need of a task of a dataset."""
        first = task.kind.metrics[0]
        return TaskInfo(name=task.name, metric=first.name, unit=first.unit, higher_is_better=first.higher_is_better)


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """How one task was done on one split.

    Attributes:
        loss: the mean loss over the defined targets, in evaluation mode.
        count: how many targets were defined.
        metrics: by name, in the metric's unit.
    """

    loss: float
    count: int
    metrics: Mapping[str, float]


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
    """

    epoch: int
    steps: int
    label_uses: int
    train_losses: Mapping[str, float]
    results: Mapping[str, Mapping[str, TaskResult]]
    conflict: Conflict | None = None


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
    training_wall_seconds: float = math.nan
    training_cpu_seconds: float = math.nan


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
    """Where it ran."""

    mtbench: str
    python: str
    torch: str
    platform: str
    processor: str
    device: str
    threads: int
    deterministic: bool


@dataclass(frozen=True, kw_only=True)
class Code:
    """What ran as one part: where it came from, and a hash of its syntax trees without comments and docstrings."""

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
        training_examples: how many different ones were trained on.
        phases: in order, where a task was added; empty where everything was trained at once.
        selectivity: None if the protocol did not ask for it, or if it cannot be measured of this network and tasks.
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
    fingerprints: Fingerprints
    files: Mapping[str, str]
    finished: str
    selectivity: Selectivity | None = None
    phases: tuple[PhaseInfo, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs it was trained for, in all phases."""
        return sum(phase.epochs for phase in self.phases) or self.spec.protocol.epochs

    def score(self, task: TaskInfo, split: str = "test") -> float:
        """The metric that tables show, of one task."""
        return self.results[split][task.name].metrics[task.metric]

    def mean(self, split: str = "test") -> float:
        """The unweighted mean over the tasks of the metric that tables show."""
        return sum(self.score(task, split) for task in self.tasks) / len(self.tasks)


def render_record(record: Record) -> str:
    """The text of ``record.json``: the record and its checksum.

    Diagnostics and phases that there are none of are left out, so that an mtbench that does not know of them reads it
    too.
    """
    body = asdict(record)
    for part, name in ((body, "selectivity"), *((point, "conflict") for point in body["curve"])):
        if part[name] is None:
            del part[name]
    if not record.phases:
        del body["phases"]
    return seal("record", body)


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
        return _READER.validate_python(body)
    except ValidationError as cause:
        raise _damaged(where, f"it is not a record ({cause.error_count()} fields are wrong)") from None


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
