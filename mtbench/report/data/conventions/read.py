"""A comparison read by the rules of a convention: its records with other test metrics, and what Δm is relative to.

Everything downstream, tables and tests and Δm, sees the numbers of the rules as if they were those of the runs.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from mtbench.contract.data.convention import ON_TEST
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.conventions.rules import EPOCHS, Rules
from mtbench.report.data.conventions.series import TEN, Values, last_phase, last_values, missing, series
from mtbench.report.data.conventions.validated import validated_epoch
from mtbench.report.data.gains.relative import delta_terms, single_task_runs
from mtbench.report.data.reading import Reading, Reference
from mtbench.report.text import listed, seeds
from mtbench.stats.relative import delta_m
from mtbench.store.record import Record, TaskInfo

__all__ = ["read_by"]

_UNVALIDATED = "no task is measured on its validation split"
_Found = Mapping[int, tuple[Values | None, str]]
"""The values of a run by seed, or None and why."""


def read_by(comparison: Comparison, rules: Rules, *, name: str, opening: Sequence[str] = ()) -> Comparison:
    """Return the comparison with the test metrics of the rules, `Comparison.reading`, and a title that names them.

    A run whose record lacks what the rules take has no test metric, and a footnote says why.

    Args:
        name: the name of the convention.
        opening: see `Reading`.
    """
    single = single_task_runs(comparison)
    found: dict[str, _Found] = {}
    if single is not None:
        found[single.title] = _each(single, rules, lambda record, _: _of_single(record, rules))
    base = _Base(comparison, rules, found.get(single.title) if single else None)
    for method in comparison.methods:
        if method is not single:
            found[method.title] = _each(
                method, rules, lambda record, seed: _of_method(record, rules, base.of(record, seed))
            )
    return dataclasses.replace(
        comparison,
        title=f"{comparison.title}, convention {name}",
        methods=tuple(_replaced(method, found[method.title]) for method in comparison.methods),
        reading=Reading(
            name=name,
            opening=tuple(opening),
            when=EPOCHS[rules.epoch] + _pool(rules),
            lacking=tuple(_said(found)),
            chosen_on_test=rules.epoch in ON_TEST,
            reference=base.reference(),
            delta=rules.delta,
        ),
    )


class _Base:
    """The values that Δm is relative to."""

    def __init__(self, comparison: Comparison, rules: Rules, single: _Found | None) -> None:
        self.comparison, self.rules = comparison, rules
        self.single = {seed: values for seed, (values, _) in (single or {}).items() if values is not None}

    def of(self, record: Record, seed: int) -> Values:
        """Return the values for one run; nothing where there are none."""
        if (constants := self.rules.constants) is not None:
            return constants.numbers() if str(record.spec.backbone) == constants.backbone else {}
        if self.rules.delta.base == "own-start":
            return series(record, self.rules).get(1, {})
        if self.rules.delta.base == "seed":
            return self.single.get(seed, {})
        pairs = dict.fromkeys(pair for values in self.single.values() for pair in values)
        return {pair: _mean(values.get(pair, math.nan) for values in self.single.values()) for pair in pairs}

    def reference(self) -> Reference | None:
        """Return what is relative to no single-task run."""
        constants = self.rules.constants
        if constants is None and self.rules.delta.base != "own-start":
            return None
        words = f"the constants of {constants.backbone}" if constants else "the run's own first epoch"
        return Reference(
            words=words,
            values={
                (method.title, seed): self.of(record, seed)
                for method in self.comparison.methods
                for seed, record in method.records.items()
            },
            halves=constants.half_digits() if constants else {},
        )


def _each(method: MethodRuns, rules: Rules, read: Callable[[Record, int], tuple[Values | None, str]]) -> _Found:
    return {
        seed: (None, why) if (why := missing(record, rules)) else read(record, seed)
        for seed, record in method.records.items()
    }


def _of_single(record: Record, rules: Rules) -> tuple[Values | None, str]:
    """Return the values of single-task networks: where epochs are chosen, each task's own."""
    if rules.epoch not in (*ON_TEST, "val"):
        return _of_method(record, rules, {})
    found, values = series(record, rules), dict[tuple[str, str], float]()
    for task in record.tasks:
        if rules.epoch == "val":
            best, why = validated_epoch(record, [task]), _UNVALIDATED
        elif rules.epoch == "own-start":
            best = _first_best({epoch: _gain(each, found[1], [task], "task") for epoch, each in found.items()})
            why = "" if best else _no_gain(found[1], [task], "task", over="its first epoch")
        else:
            sign = 1 if task.higher_is_better else -1
            best = _first_best({epoch: sign * each[task.name, task.metric] for epoch, each in found.items()})
            why = "" if best else f"no epoch has a value of {task.name}"
        if best is None:
            return None, why
        values |= {pair: value for pair, value in found[best].items() if pair[0] == task.name}
    return values, ""


def _of_method(record: Record, rules: Rules, base: Values) -> tuple[Values | None, str]:
    if rules.epoch == "last":
        return last_values(record, rules), ""
    found = series(record, rules)
    if rules.epoch == "last10":
        last = [found[epoch] for epoch in range(record.epochs - TEN + 1, record.epochs + 1)]
        return {pair: float(np.mean([values[pair] for values in last])) for pair in last[0]}, ""
    if rules.epoch == "val":
        chosen = validated_epoch(record, record.tasks)
        return (found[chosen], "") if chosen else (None, _UNVALIDATED)
    start = rules.epoch == "own-start"
    average, base = ("task", found[1]) if start else (rules.delta.average, base)
    candidates = last_phase(record, found)
    best = _first_best({epoch: _gain(values, base, record.tasks, average) for epoch, values in candidates.items()})
    if best is None:
        return None, _no_gain(
            base, record.tasks, average, over="its first epoch" if start else "what Δm is relative to"
        )
    return found[best], ""


def _no_gain(base: Values, tasks: Sequence[TaskInfo], average: str, *, over: str) -> str:
    """Say why there is no gain over a base in any epoch."""
    zero = [
        f"{metric} of {task}" for task, metric in delta_terms(tasks, average).pairs if not base.get((task, metric), 1)
    ]
    said = f"{listed(zero)} {'is' if len(zero) == 1 else 'are'} 0 there" if zero else "a value is lacking"
    return f"no epoch has a gain over {over}, for {said}"


def _gain(values: Values, base: Values, tasks: Sequence[TaskInfo], average: str) -> float:
    terms = delta_terms(tasks, average)
    one, other = ([[each.get(pair, math.nan) for pair in terms.pairs]] for each in (values, base))
    return float(delta_m(one, other, terms.higher, terms.groups)[0])


def _first_best(goodness: Mapping[int, float]) -> int | None:
    known = {epoch: value for epoch, value in sorted(goodness.items()) if not math.isnan(value)}
    return max(known, key=lambda epoch: known[epoch]) if known else None


def _replaced(method: MethodRuns, found: _Found) -> MethodRuns:
    runs = []
    for run in method.runs:
        if run.record is None:
            runs.append(run)
            continue
        values = found[run.spec.seed][0] or {}
        test = {
            task: dataclasses.replace(
                result, metrics={name: values.get((task, name), math.nan) for name in result.metrics}
            )
            for task, result in run.record.results.get("test", {}).items()
        }
        record = dataclasses.replace(run.record, results={**run.record.results, "test": test})
        runs.append(dataclasses.replace(run, record=record))
    return dataclasses.replace(method, runs=tuple(runs))


def _pool(rules: Rules) -> str:
    if rules.batches is None:
        return ""
    together = f"; {listed(rules.together)} over all of them" if rules.together else ""
    return f", over {rules.batches.words}{together}"


def _said(found: Mapping[str, _Found]) -> Iterable[str]:
    """Sentences on runs without values, those with the same reason together."""
    groups: dict[str, list[str]] = {}
    for title, each in found.items():
        by_reason: dict[str, list[int]] = {}
        for seed, (values, why) in each.items():
            if values is None:
                by_reason.setdefault(why, []).append(seed)
        for why, who in by_reason.items():
            groups.setdefault(why, []).append(f"{title} ({seeds(who)})")
    for why, runs in groups.items():
        yield f"No numbers of {', '.join(runs)}: {why}."


def _mean(values: Iterable[float]) -> float:
    """Return the mean of those that are not NaN; NaN of none."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
