"""One class per example."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mtbench.contract.tasks.kinds.counts import ClassCounts, dtype_of_classes, percent
from mtbench.contract.tasks.kinds.validity import wrong_classes, wrong_shape
from mtbench.contract.tasks.metric import Metric
from mtbench.contract.tasks.task import Kind, Tally

__all__ = ["Classification"]


@dataclass(frozen=True, kw_only=True)
class Classification(Kind):
    """One of `classes` per example; targets (N,) are int64, -1 where undefined; the loss is cross-entropy in nats.

    Metrics in %, over the defined targets of the whole split; ``accuracy`` is primary. A class that is absent from the
    truth is left out of the means and counted neither as 0 nor as 1; predicting it lowers the F1 of the classes whose
    examples are missed:

    - ``accuracy``: correct predictions.
    - ``balanced-accuracy``: mean of the recalls of the classes in the truth, as scikit-learn's
      ``balanced_accuracy_score`` (torchmetrics' macro accuracy counts 0 for a class that is predicted and never true).
    - ``macro-f1``: mean over the classes in the truth of F1 = 2 correct / (true + predicted), as scikit-learn's
      ``f1_score(average="macro", labels=classes in the truth)``.
    - ``f1``, of two classes only: F1 of class 1; undefined (NaN) where class 1 is absent from the truth.

    - ``known-accuracy``, if a class stands for unknown: correct predictions among the examples of all other classes,
      for which a prediction of that class is always wrong.

    Only accuracy is part of Δm, as in the tables of papers; the others are reported beside it.

    The constant prediction is the majority class: the most frequent one, the first of equally frequent ones.

    Predictions are classes (B,): uint8 up to 256 classes, uint16 up to 65,536.

    Attributes:
        classes: number of classes.
        unknown: the class of examples that have none of the others, such as the color of an invisible part; None if
            there is no such class. It is learned and counted like the others.
    """

    classes: int
    unknown: int | None = None
    constant_name: ClassVar[str] = "majority class"

    @property
    def metrics(self) -> tuple[Metric, ...]:  # type: ignore[override]
        names = ["accuracy", "balanced-accuracy", "macro-f1", *["f1"] * (self.classes == 2)]
        names += ["known-accuracy"] * (self.unknown is not None)
        return tuple(Metric(name=name, unit="%", in_delta=name == "accuracy") for name in names)

    @property
    def output_size(self) -> int:  # type: ignore[override]
        return self.classes

    @property
    def stored_as(self) -> torch.dtype:  # type: ignore[override]
        return dtype_of_classes(self.classes)

    def defined(self, targets: Tensor) -> Tensor:
        return targets >= 0

    def wrong_targets(self, targets: Tensor) -> str:
        return wrong_shape(targets) or wrong_classes(targets, self.classes)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(output, target, reduction="none")

    def predict(self, output: Tensor) -> Tensor:
        return output.argmax(1).to(self.stored_as)

    def correct(self, predictions: Tensor, targets: Tensor) -> Tensor:
        return predictions.long() == targets

    def constant(self, targets: Tensor) -> Tensor:
        return torch.bincount(targets, minlength=self.classes).argmax().to(self.stored_as)

    def tally(self) -> Tally:
        return _Tally(self.classes, self.unknown)


class _Tally(Tally):
    """Counts per class: 24 bytes per class for any number of examples."""

    def __init__(self, classes: int, unknown: int | None) -> None:
        self.counts = ClassCounts(classes)
        self.unknown = unknown

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.counts.add(predictions, targets)

    def score(self) -> dict[str, float]:
        counts = self.counts
        scores = {
            "accuracy": counts.accuracy(),
            "balanced-accuracy": percent(counts.recalls()),
            "macro-f1": percent(counts.f1()),
        }
        if len(counts.true) == 2:
            scores["f1"] = percent(counts.f1()[-1]) if counts.true[1] else math.nan
        if self.unknown is not None:
            scores["known-accuracy"] = counts.accuracy(without=self.unknown)
        return scores
