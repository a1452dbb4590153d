"""Methods relative to networks that learn one task each, measured under the same protocol on the same seeds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench import registry
from mtbench.contract import Metric
from mtbench.plan.spec import Choice
from mtbench.report.data.choices import AVERAGES, DEFAULT, REFERENCES, Convention
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.reading import Pair
from mtbench.stats.relative import delta_m, delta_parts, relative_error
from mtbench.store.record import TaskInfo

__all__ = [
    *("DELTA", "Terms", "delta_parts_of", "delta_terms", "deltas", "error_changes", "has_shares"),
    *("other_averages", "single_task_runs", "zeros"),
]

DELTA = "delta_m"
"""The name of Delta_m where a metric is asked for."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms that Δm is a mean of.

    Attributes:
        pairs: M metrics, each with its task.
        higher: (M,) whether higher is better.
        groups: (M,) the task of each, where the mean is taken within tasks first; else None.
    """

    pairs: tuple[Pair, ...]
    higher: tuple[bool, ...]
    groups: tuple[str, ...] | None


def delta_terms(tasks: Sequence[TaskInfo], average: str) -> Terms:
    """Return the terms of an average of Δm."""
    metrics = [
        (task.name, metric)
        for task in tasks
        for metric in task.delta_metrics
        if average != "main" or metric.name == task.metric
    ]
    return Terms(
        pairs=tuple((task, metric.name) for task, metric in metrics),
        higher=tuple(metric.higher_is_better for _, metric in metrics),
        groups=tuple(task for task, _ in metrics) if average == "task" else None,
    )


def single_task_runs(comparison: Comparison) -> MethodRuns | None:
    """Return runs of a single-task baseline with its default options and the reference balancer, on the backbone that
    most methods have; None if no such run has finished.

    Where several networks with that role were run, mtbench's own comes first, then the others by name. Among tuned
    methods it is tuned too: its options are those that its search chose.
    """
    if not comparison.methods:
        return None
    backbones = Counter(str(method.runs[0].spec.backbone) for method in comparison.methods)
    balancer, backbone = Choice(name=registry.reference("balancer")), backbones.most_common(1)[0][0]
    for name in registry.with_role("method", registry.SINGLE_TASK):
        for method in comparison.methods:
            spec = method.runs[0].spec
            plain = (Choice(name=name), balancer, backbone)
            found = (spec.network, spec.balancer, str(spec.backbone))
            if comparison.tuned:
                found = (Choice(name=spec.network.name), Choice(name=spec.balancer.name), found[2])
            if found == plain and method.records:
                return method
    return None


def has_shares(comparison: Comparison) -> bool:
    """Return whether a change can be a fraction of what it is a change of: no metric falls below 0, as a logarithm may.

    Only metrics that are a part of Δm count. Of what crosses 0 a relative gain would be as large as the single-task
    network is near it.
    """
    pairs = [(task, metric.name) for task, metric in _metrics(comparison)]
    return not any((method.measured(pairs, comparison.seeds) < 0).any() for method in comparison.methods)


def other_averages(comparison: Comparison, chosen: str) -> tuple[str, ...]:
    """Return the averages of Δm that differ from the chosen one here.

    None differ where each task has one metric in Δm; by tasks and by metrics is the same where all have equally many.
    """
    counts = {len(task.delta_metrics) for task in comparison.tasks}
    if counts <= {1}:
        return ()
    alike = [] if len(counts) > 1 else [{"task": "metric", "metric": "task", "main": "metric"}[chosen]]
    return tuple(average for average in AVERAGES if average not in (chosen, *alike))


def zeros(comparison: Comparison, convention: Convention) -> tuple[str, ...]:
    """Return the metrics in Δm whose divisor is 0 for some seed, where no gain is defined."""
    pairs = [(task, metric.name) for task, metric in _metrics(comparison)]
    single = single_task_runs(comparison)
    if comparison.reading and (reference := comparison.reading.reference):
        base = np.concatenate(
            [reference.measured(method.title, pairs, comparison.seeds) for method in comparison.methods]
        )
    elif single is None:
        return ()
    else:
        base = single.measured(pairs, comparison.seeds)
    found = ((_mean_of_runs(base) if convention.base == "mean" else base) == 0).any(axis=0)
    return tuple(f"{metric} of {task}" for (task, metric), zero in zip(pairs, found, strict=True) if zero)


def deltas(comparison: Comparison, convention: Convention = DEFAULT.delta) -> list[NDArray[np.float64]]:
    """Return Δm (see `mtbench.stats.relative.delta_m`) of each method per seed (S,), in %, by a convention.

    It is of the metrics that are a part of it (`mtbench.contract.Metric.in_delta`): of classification accuracy alone.
    NaN where the seed has no run of the method, or no single-task value to divide by, and for methods on another
    backbone than the single-task network is on; everywhere, if a change is no share (see `has_shares`).
    """
    if not comparison.tasks:
        return [np.empty(0) for _ in comparison.methods]
    terms, sign = delta_terms(comparison.tasks, convention.average), {"gain": 1, "drop": -1}[convention.sign]
    gains = [sign * delta_m(*pair, terms.higher, terms.groups) for pair in _with_base(comparison, terms, convention)]
    return gains if has_shares(comparison) else [np.full_like(gain, np.nan) for gain in gains]


def delta_parts_of(comparison: Comparison, convention: Convention) -> list[NDArray[np.float64]]:
    """Return the parts (S, M) of each method's Δm per seed (see `mtbench.stats.relative.delta_parts`), of the metrics
    of `delta_terms`, with the sign of the convention."""
    terms, sign = delta_terms(comparison.tasks, convention.average), {"gain": 1, "drop": -1}[convention.sign]
    pairs = _with_base(comparison, terms, convention)
    return [sign * delta_parts(*pair, terms.higher, terms.groups) for pair in pairs]


def error_changes(comparison: Comparison) -> list[NDArray[np.float64]]:
    """Return the relative change of the error rate (see `mtbench.stats.relative.relative_error`) likewise, in %.

    NaN everywhere where a task's metric is no share in % of which more is better.
    """
    if not comparison.tasks:
        return [np.empty(0) for _ in comparison.methods]
    pairs = _beside_single(comparison, [(task.name, task.metric) for task in comparison.tasks])
    if any(task.unit != "%" or not task.higher_is_better for task in comparison.tasks):
        pairs = [(values, np.full_like(values, np.nan)) for values, _ in pairs]
    return [relative_error(values, single) for values, single in pairs]


def _metrics(comparison: Comparison) -> list[tuple[str, Metric]]:
    """Return the metrics that are a part of Δm, each with the name of its task."""
    return [(task.name, metric) for task in comparison.tasks for metric in task.delta_metrics]


def _mean_of_runs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, M) values with the mean over the seeds that have one in every row; NaN where none has."""
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return np.broadcast_to(mean, values.shape)


def _with_base(
    comparison: Comparison, terms: Terms, convention: Convention
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Per method its test metrics (S, M) and what they are relative to."""
    if convention.base in REFERENCES:
        reference = comparison.reading and comparison.reading.reference
        assert reference, f"Δm over {convention.base} is of a comparison that was read by a convention"
        seeds = comparison.seeds
        return [
            (method.measured(terms.pairs, seeds), reference.measured(method.title, terms.pairs, seeds))
            for method in comparison.methods
        ]
    pairs = _beside_single(comparison, terms.pairs)
    return [(values, _mean_of_runs(single) if convention.base == "mean" else single) for values, single in pairs]


def _beside_single(
    comparison: Comparison, metrics: Sequence[tuple[str, str]]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Per method its test metrics (S, M) and those of the single-task network it is held against.

    Args:
        metrics: M pairs of a task's name and a metric's.
    """
    found = single_task_runs(comparison)
    single = None if found is None else found.measured(metrics, comparison.seeds)
    pairs = []
    for method in comparison.methods:
        values = method.measured(metrics, comparison.seeds)
        alike = found is not None and method.runs[0].spec.backbone == found.runs[0].spec.backbone
        pairs.append((values, single if single is not None and alike else np.full_like(values, np.nan)))
    return pairs
