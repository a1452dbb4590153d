"""The measurements of a run: its tasks, results, curve and predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbench.contract import Metric
from mtbench.store.record.diagnosis import Conflict
from mtbench.store.record.sealed import Number

if TYPE_CHECKING:
    from mtbench.contract import Task

__all__ = [
    "CEILING",
    "DISTANCE",
    "SELECTED",
    "BatchMeans",
    "Constant",
    "CurvePoint",
    "Measurement",
    "StoredPredictions",
    "TaskInfo",
    "TaskResult",
    "WeightRange",
]

CEILING = "ceiling of one embedding: "
"""Beginning of the name of a measurement that is the triplet accuracy in % which labels set as the ceiling of one
embedding for all tasks; the name of a task follows."""

DISTANCE = "distance of modulation vectors: "
"""Beginning of the name of a measurement that is the mean absolute difference of the vectors by which two tasks
modulate a network; the names of the two follow, with a slash between them, in the order of the tasks."""

SELECTED = "selected epoch: "
"""Beginning of the name of a measurement that is the epoch of the weights that answer a task, where tasks share nothing
and have unlike ones; the name of the task follows."""


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
    def of(task: "Task") -> "TaskInfo":
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
    """The result of one task on one split.

    Attributes:
        loss: the mean loss over the defined targets, in evaluation mode.
        count: how many targets were defined.
        metrics: by name, in the metric's unit.
    """

    loss: Number
    count: int
    metrics: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The result of one task on the test split with the same prediction for every example: the one that is best for the
    training labels, such as their majority class.

    Attributes:
        name: what the prediction is called: ``majority class``, ``mean``.
        metrics: by name, in the metric's unit, over the defined targets.
    """

    name: str
    metrics: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class BatchMeans:
    """Means of test metrics over batches of examples in the order of the files, as some published code has them.

    Attributes:
        size: the number of examples of a batch; the last one may have fewer.
        by_examples: whether a batch weighs as much as it has examples; else all weigh alike, the last one too.
        metrics: by task and name, in the metric's unit. A batch in which a metric is undefined is left out of its mean.
    """

    size: int
    by_examples: bool
    metrics: Mapping[str, Mapping[str, Number]]


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
        train_losses: by task, the mean training loss over the labels used in that epoch, without what the method
            declares as auxiliary losses; NaN for a task that was absent. Records made before those were kept apart
            include them.
        results: by split and task.
        conflict: of the tasks' gradients over that epoch; None if the protocol did not ask for it, or if the tasks
            share no parameter.
        same_images: likewise with triplets of all tasks that are made of the same images, the anchors of each
            mini-batch; None too where examples are no triplets, where the classes of images are not known, and in
            records made before it was measured.
        weights: by task, the weights that the balancer used since the point before; None if no weights describe it.
        batch_means: of the test split, for each kind of batches in the conventions of the dataset; empty where the test
            split was not evaluated, and in records made before they were kept.
    """

    epoch: int
    steps: int
    label_uses: int
    train_losses: Mapping[str, Number]
    results: Mapping[str, Mapping[str, TaskResult]]
    conflict: Conflict | None = None
    same_images: Conflict | None = None
    weights: Mapping[str, WeightRange] | None = None
    batch_means: tuple[BatchMeans, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoredPredictions:
    """The predictions of one task on the test split, or the reason why they are not stored. An example without a label
    of the task has none: NaN stands in its place, or the largest value of an integer dtype (255 of uint8). Runs before
    that was so have a prediction there.

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
