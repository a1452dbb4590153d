"""Runs in which something that they are compared for did nothing: balancers that weighed all tasks alike, and tasks
without a training label."""

import math
from collections.abc import Iterable

from mtbench import registry
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.text import listed
from mtbench.store.record import Record

__all__ = ["equal_weights", "untrained"]


def equal_weights(method: MethodRuns) -> str:
    """Return a sentence on a method whose balancer gave all tasks one constant weight in every run; else an empty text.

    A balancer that begins after some epochs does so where a run has no more.
    """
    records = list(method.records.values())
    reference = registry.reference("balancer")
    if not records or any(record.spec.balancer.name == reference or not _is_constant(record) for record in records):
        return ""
    return f"{method.title}: task weights were equal at every step, so that it trained as {reference} does."


def untrained(methods: Iterable[MethodRuns]) -> str:
    """Return a sentence on the tasks that no run was trained on; an empty text if there is none."""
    records = [record for method in methods for record in method.records.values() if record.curve]
    names = [task.name for task in records[0].tasks] if records else []
    never = [
        name
        for name in names
        if all(math.isnan(point.train_losses.get(name, math.nan)) for record in records for point in record.curve)
    ]
    verb = "was" if len(never) == 1 else "were"
    return f"{listed(never)} {verb} never trained: there was no training label." if never else ""


def _is_constant(record: Record) -> bool:
    """Return True if every point of the curve has task weights, and all of them are one number."""
    weights = [point.weights for point in record.curve]
    if not weights or any(not each or len(each) < 2 for each in weights):
        return False
    ends = [end for each in weights for one in (each or {}).values() for end in (one.low, one.high)]
    return max(ends) - min(ends) <= 1e-6 * abs(max(ends))
