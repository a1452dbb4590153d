"""The test metrics of a run along its curve, averaged over what the rules say, and what a record lacks for that."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from mtbench.contract import Batches
from mtbench.report.data.conventions.rules import Rules
from mtbench.report.data.reading import Pair
from mtbench.store.record import BatchMeans, Record, TaskResult

__all__ = ["TEN", "Values", "last_phase", "last_values", "missing", "series"]

Values = Mapping[Pair, float]
"""Test metrics by task and name."""
Found = TypeVar("Found")
TEN = 10
"""The number of last epochs that the rule ``last10`` takes the mean over."""


def series(record: Record, rules: Rules) -> dict[int, Values]:
    """Return the test metrics by epoch, for the points of the curve that have them."""
    return {
        point.epoch: _values(point.results["test"], means, rules)
        for point in record.curve
        if "test" in point.results
        for means in _of(point.batch_means, rules.batches)
    }


def last_phase(record: Record, found: Mapping[int, Found]) -> dict[int, Found]:
    """Return what is found by epoch without those of earlier phases, in which another network was trained."""
    before = record.epochs - record.phases[-1].epochs if record.phases else 0
    return {epoch: each for epoch, each in found.items() if epoch > before}


def last_values(record: Record, rules: Rules) -> Values | None:
    """Return the test metrics with the weights that the run reports; None if its record lacks them."""
    return next(
        (_values(record.results["test"], means, rules) for means in _of(record.batch_means, rules.batches)), None
    )


def needed(record: Record, rules: Rules) -> Sequence[int]:
    """Return the epochs of the curve that the rule for the epoch, and what Δm is relative to, take."""
    epochs = record.epochs
    whole = {"last": [], "last10": range(epochs - TEN + 1, epochs + 1)}.get(rules.epoch, range(1, epochs + 1))
    return [1, *whole] if rules.delta.base == "own-start" else list(whole)


def missing(record: Record, rules: Rules) -> str:
    """Return why a record lacks what the rules take, in a clause, with what to do; empty if it has everything."""
    if rules.epoch == "last10" and record.epochs < TEN:
        return f"a run of {record.epochs} epoch{'s' * (record.epochs != 1)} has no mean of the last {TEN}"
    if rules.batches and not any(True for _ in _of(record.batch_means, rules.batches)):
        return f"its record has no means over {rules.batches.words} (delete it and run it again, if it is from before)"
    if rules.epoch == "val" and not record.spec.protocol.validation:
        return "no validation split was held out (train with `--set validation=true`)"
    lacking = set(needed(record, rules)) - series(record, rules).keys()
    if not lacking:
        return ""
    if record.spec.protocol.validation and "test-curve" not in record.spec.protocol.diagnostics:
        return (
            "with a validation split held out, its curve is not of the test split (train with "
            "`--set diagnostics=test-curve`)"
        )
    curve = "last10" if rules.epoch == "last10" and rules.delta.base != "own-start" else "all"
    return f"its curve lacks {len(lacking)} of the epochs that it takes (train with `--set curve={curve}`)"


def _of(found: Iterable[BatchMeans], batches: Batches | None) -> list[BatchMeans | None]:
    """Return the means over some batches in a list, empty if there are none; of None None."""
    if batches is None:
        return [None]
    return [each for each in found if (each.size, each.by_examples) == (batches.size, batches.by_examples)]


def _values(results: Mapping[str, TaskResult], means: BatchMeans | None, rules: Rules) -> Values:
    values = {(task, name): value for task, result in results.items() for name, value in result.metrics.items()}
    if means is not None:
        values |= {
            (task, name): value
            for task, metrics in means.metrics.items()
            for name, value in metrics.items()
            if name not in rules.together
        }
    return values
