"""Numbers of a record beside those that were derived again, which must be equal to the last digit."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mtbench.store.record import CEILING, Record
from mtbench.train.recompute.derive import Derived

__all__ = ["Difference", "differences", "not_derived"]

ROUNDING = 1e-9
"""Relative tolerance where a run has other numerics than this process, so that sums may be rounded otherwise."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A number of a record that is not the derived one.

    Attributes:
        split, task, metric: its place; empty where it has none.
        stored: the number or text in the record.
        derived: the number or text that was derived.
    """

    split: str
    task: str
    metric: str
    stored: float | str
    derived: float | str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.split, self.task, self.metric) if part)
        return f"{place}: stored {_said(self.stored)}, derived {_said(self.derived)}"


def differences(record: Record, derived: Derived, *, same_numerics: bool) -> Iterator[Difference]:
    """Yield every number of a record that is not the derived one.

    Args:
        record: the record.
        derived: the numbers that follow from its predictions.
        same_numerics: True if sums are rounded as in the run, so that numbers must be equal to the last digit.
    """
    yield from _of_tasks(record, derived)
    results = record.results.get("test", {})
    for task in record.tasks:
        if task.name in derived.misfits:
            yield Difference(
                split="test", task=task.name, metric="", stored="predictions", derived=derived.misfits[task.name]
            )
        if task.name not in derived.results:
            continue
        found = derived.results[task.name]
        for name, stored, number in (
            ("labels", results[task.name].count, found.count),
            *_pairs(results[task.name].metrics, found.metrics),
        ):
            if task.name in derived.partial and math.isnan(number):
                continue
            if not _equal(stored, number, same_numerics):
                yield Difference(split="test", task=task.name, metric=name, stored=stored, derived=number)
    yield from _of_batches(record, derived, same_numerics)
    yield from _of_labels(record, derived, same_numerics)
    yield from _of_curve(record)


def not_derived(record: Record, derived: Derived) -> list[str]:
    """Return the metrics of the test split that do not follow from what is stored, each once, in their order."""
    names = []
    for task in record.tasks:
        if task.name not in derived.results:
            continue
        known = derived.results[task.name].metrics
        for name, stored in record.results["test"][task.name].metrics.items():
            lost = task.name in derived.partial and math.isnan(known.get(name, 0.0)) and not math.isnan(stored)
            if name not in known or lost:
                names.append(name)
    return list(dict.fromkeys(names))


def _of_tasks(record: Record, derived: Derived) -> Iterator[Difference]:
    """Yield what the record says otherwise of its tasks than the dataset: their names, and units and directions."""
    recorded, known = [task.name for task in record.tasks], [task.name for task in derived.tasks]
    if recorded != known:
        yield Difference(split="", task="", metric="tasks", stored=", ".join(recorded), derived=", ".join(known))
        return
    for mine, task in zip(record.tasks, derived.tasks, strict=True):
        now = {metric.name: metric for metric in task.kind.metrics}
        for metric in mine.metrics:
            if metric.name not in now:
                continue
            for fact in ("unit", "higher_is_better"):
                stored, here = getattr(metric, fact), getattr(now[metric.name], fact)
                if stored != here:
                    yield Difference(
                        split="",
                        task=mine.name,
                        metric=f"{fact.replace('_', ' ')} of {metric.name}",
                        stored=str(stored),
                        derived=str(here),
                    )


def _of_batches(record: Record, derived: Derived, same: bool) -> Iterator[Difference]:
    known = {(means.size, means.by_examples): means.metrics for means in derived.batch_means}
    for means in record.batch_means:
        for task, found in known.get((means.size, means.by_examples), {}).items():
            for name, stored, number in _pairs(means.metrics.get(task, {}), found):
                if task in derived.partial and math.isnan(number):
                    continue
                if not _equal(stored, number, same):
                    metric = f"{name} over batches of {means.size}"
                    yield Difference(split="test", task=task, metric=metric, stored=stored, derived=number)


def _of_labels(record: Record, derived: Derived, same: bool) -> Iterator[Difference]:
    """Yield what follows from labels alone: results of constant predictions, and the upper bounds of one embedding."""
    for task, constant in record.constants.items():
        found = derived.constants.get(task)
        if found is None or found.name != constant.name:
            yield Difference(
                split="test",
                task=task,
                metric="constant prediction",
                stored=constant.name,
                derived=found.name if found else "none",
            )
            continue
        for name, stored, number in _pairs(constant.metrics, found.metrics):
            if not _equal(stored, number, same):
                metric = f"{name} of the {constant.name}"
                yield Difference(split="test", task=task, metric=metric, stored=stored, derived=number)
    for name, ceiling in derived.ceilings.items():
        if name in record.measurements and not _equal(record.measurements[name].value, ceiling.value, same):
            stored = record.measurements[name].value
            yield Difference(
                split="test",
                task=name.removeprefix(CEILING),
                metric=CEILING.removesuffix(": "),
                stored=stored,
                derived=ceiling.value,
            )


def _of_curve(record: Record) -> Iterator[Difference]:
    """Yield where the last point of the curve, made by the evaluation that is reported, says otherwise."""
    if record.spec.protocol.select != "last" or not record.curve or record.curve[-1].epoch != record.selected_epoch:
        return
    for split, results in record.curve[-1].results.items():
        for task, there in results.items():
            here = record.results.get(split, {}).get(task)
            if here is None:
                continue
            for name, stored, number in (("loss", here.loss, there.loss), *_pairs(here.metrics, there.metrics)):
                if not _equal(stored, number, True):
                    metric = f"{name} (derived: the last point of the curve)"
                    yield Difference(split=split, task=task, metric=metric, stored=stored, derived=number)


def _pairs(stored: Mapping[str, float], found: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    """Yield the name and both values of each metric that both have."""
    yield from ((name, value, found[name]) for name, value in stored.items() if name in found)


def _equal(stored: float, derived: float, same_numerics: bool) -> bool:
    if not math.isfinite(stored) or not math.isfinite(derived):  # which a record has no digits for
        return not math.isfinite(stored) and not math.isfinite(derived)
    return stored == derived or (not same_numerics and math.isclose(stored, derived, rel_tol=ROUNDING, abs_tol=1e-12))


def _said(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value)
