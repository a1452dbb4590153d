"""Processor time of kept runs, and the time of planned ones by it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from mtbench.contract import TrainingProtocol
from mtbench.door.given import data_root
from mtbench.errors import MtbenchError
from mtbench.plan.chosen import load_dataset
from mtbench.plan.counting import count_work
from mtbench.plan.spec import Choice, RunSpec
from mtbench.store.record import Record

__all__ = ["Rates", "epochs", "kind"]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Processor time of kept runs.

    Attributes:
        seconds: per training example and epoch, by `kind`.
        per_mac: per training example, epoch and multiply-accumulate of an answer to all tasks, by backbone.
        examples: number of all training examples, by dataset.
    """

    seconds: dict[tuple[str, ...], float]
    per_mac: dict[str, float]
    examples: dict[str, int]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Rates":
        """Return the medians over records; of a kind that has records of all training examples over those alone."""
        records = list(records)
        whole = {kind(record.spec) for record in records if not record.spec.protocol.images}
        seconds: dict[tuple[str, ...], list[float]] = {}
        per_mac: dict[str, list[float]] = {}
        examples: dict[str, int] = {}
        for record in records:
            spec, cost = record.spec, record.cost
            if spec.protocol.images and kind(spec) in whole:
                continue
            each = cost.cpu_seconds / (epochs(spec.protocol) * record.training_examples / spec.protocol.fraction)
            seconds.setdefault(kind(spec), []).append(each)
            if cost.macs_per_input:
                per_mac.setdefault(spec.backbone.name, []).append(each / cost.macs_per_input)
            if not spec.protocol.images and spec.protocol.fraction == 1:
                examples[str(spec.dataset)] = record.training_examples
        return cls(
            seconds={key: median(found) for key, found in seconds.items()},
            per_mac={key: median(found) for key, found in per_mac.items()},
            examples=examples,
        )

    def hours(self, specs: Sequence[RunSpec]) -> float:
        """Return the hours of runs on one core; NaN if they are not known."""
        known = {**self.seconds}
        for spec in specs:
            if kind(spec) not in known:
                known[kind(spec)] = self._estimated(spec)
        return sum(known[kind(spec)] * self._passed(spec) for spec in specs) / 3600

    def _estimated(self, spec: RunSpec) -> float:
        """Return the seconds per training example and epoch of a kind without a record; NaN if none is like it."""
        if spec.backbone.name in self.per_mac:
            return self.per_mac[spec.backbone.name] * _macs(spec)
        alike = [seconds for (dataset, *_), seconds in self.seconds.items() if dataset == str(spec.dataset)]
        return median(alike) if alike else math.nan

    def _passed(self, spec: RunSpec) -> float:
        """Return the number of training examples of all epochs; NaN if it is not known."""
        return epochs(spec.protocol) * self.per_epoch(spec)

    def per_epoch(self, spec: RunSpec) -> float:
        """Return the number of training examples that an epoch visits: of a fraction as many as of all; NaN if it is
        not known."""
        return spec.protocol.images or self.examples.get(str(spec.dataset)) or _training_examples(spec.dataset)


def epochs(protocol: TrainingProtocol) -> int:
    """Return the number of all epochs: a task is added in as many as the others were trained in."""
    return protocol.epochs * (1 if protocol.adds == "none" else 2)


def kind(spec: RunSpec) -> tuple[str, ...]:
    """Return what the time of an example depends on: dataset, network, balancer and backbone."""
    return tuple(map(str, (spec.dataset, spec.network, spec.balancer, spec.backbone)))


@cache
def _training_examples(dataset: Choice) -> float:
    """Return the number of training examples of a dataset whose data are here; NaN if they are not."""
    try:
        return len(load_dataset(dataset).open(data_root(None)).load("train", validation=False).defined)
    except MtbenchError:
        return math.nan


def _macs(spec: RunSpec) -> int:
    chosen = spec.resolve()
    return count_work(chosen.method, chosen.setup(chosen.dataset.open(Path()), seed=0)).per_input
