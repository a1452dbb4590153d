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
    "TRAINING_MACS",
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
"""Beginning of the name of a measurement, followed by the name of a task.

Its value is the upper bound, set by labels, of the triplet accuracy in % of one embedding for all tasks.
"""

DISTANCE = "distance of modulation vectors: "
"""Beginning of the name of a measurement, followed by the names of two tasks with a slash between them.

Its value is the mean absolute difference of the vectors by which the two tasks modulate a network.
"""

SELECTED = "selected epoch: "
"""Beginning of the name of a measurement, followed by the name of a task.

Its value is the epoch of the weights that answer the task, if tasks share nothing and have different epochs.
"""

TRAINING_MACS = "multiply-accumulates of training"
"""The name of a measurement: the multiply-accumulates of the forward passes of training.

Backward passes are left out. Records made before it was measured lack it.
"""


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task in the form that tables need.

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
        """The metrics that are part of Δm, the primary one first."""
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
        count: number of defined targets.
        metrics: values by name, in the metric's unit.
    """

    loss: Number
    count: int
    metrics: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The result of one task on the test split with the same prediction for every example: the best one for the
    training labels, such as their majority class.

    Attributes:
        name: name of the prediction: ``majority class``, ``mean``.
        metrics: values by name, in the metric's unit, over the defined targets.
    """

    name: str
    metrics: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class BatchMeans:
    """Means of test metrics over batches of examples in the order of the files, as in some published code.

    Attributes:
        size: the number of examples of a batch; the last one may have fewer.
        by_examples: True if a batch is weighted by its number of examples; False if all count equally, the last one
            too.
        metrics: values by task and name, in the metric's unit. A batch with an undefined metric is left out of its
            mean.
    """

    size: int
    by_examples: bool
    metrics: Mapping[str, Mapping[str, Number]]


@dataclass(frozen=True, kw_only=True)
class WeightRange:
    """The weight that a balancer gave a task: the coefficient of its gradient in the shared parameters.

    Attributes:
        mean: mean over the steps since the point before that had a label of the task.
        low: the smallest weight in these steps.
        high: the largest weight in these steps.
    """

    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A line of ``curve.jsonl``.

    Attributes:
        epoch: number of finished epochs.
        steps: number of optimizer steps.
        label_uses: number of labels that had entered a loss.
        train_losses: the mean training loss of each task over the labels used in that epoch, without the method's
            auxiliary losses; NaN for a task that was absent. Older records include auxiliary losses.
        results: results by split and task.
        conflict: conflict of the tasks' gradients over that epoch; None if the training protocol did not request it, or
            if the tasks share no parameter.
        same_images: conflict on triplets of all tasks that are made of the same images, the anchors of each mini-batch;
            None also if examples are no triplets, if the classes of images are unknown, and in records made before it
            was measured.
        weights: the weights of each task that the balancer used since the point before; None if no weights describe it.
        batch_means: means of the test split, for each kind of batches in the conventions of the dataset; empty if the
            test split was not evaluated, and in records made before they were stored.
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
    of the task has no prediction: its entry is NaN, or the largest value of an integer dtype (255 for uint8). Older
    runs have a prediction there.

    Attributes:
        dtype: dtype of the array in ``predictions.npz``, e.g. ``uint8``; empty if there is none.
        shape: shape of the array; empty if there is none.
        why_not: the reason as a sentence; empty if they are stored.
    """

    dtype: str = ""
    shape: tuple[int, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """An additional number that a run measured, for which the format has no field.

    Attributes:
        value: the number.
        unit: e.g. ``s`` or ``MB``; empty for a number without unit.
    """

    value: Number
    unit: str = ""
