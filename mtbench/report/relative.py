"""Methods relative to networks that learn one task each, measured under the same protocol on the same seeds."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mtbench import registry
from mtbench.plan.spec import Choice
from mtbench.report.comparison import Comparison, MethodRuns
from mtbench.stats.relative import delta_m, relative_error

__all__ = ["DELTA", "deltas", "error_changes", "has_shares", "single_task_runs"]

DELTA = "delta_m"
"""What Delta_m is called where a metric is asked for."""


def single_task_runs(comparison: Comparison) -> MethodRuns | None:
    """Runs of a single-task baseline with its default options and the reference balancer, on the backbone that most
    methods have; None if no such run has finished.

    Where several networks with that role were run, mtbench's own comes first, then the others by name.
    """
    backbones = Counter(str(method.runs[0].spec.backbone) for method in comparison.methods)
    balancer, backbone = Choice(name=registry.reference("balancer")), backbones.most_common(1)[0][0]
    for name in registry.with_role("method", registry.SINGLE_TASK):
        for method in comparison.methods:
            spec = method.runs[0].spec
            plain = (Choice(name=name), balancer, backbone)
            if (spec.network, spec.balancer, str(spec.backbone)) == plain and method.records:
                return method
    return None


def has_shares(comparison: Comparison) -> bool:
    """Whether a change can be a share of what it is a change of: no metric falls below 0, as a logarithm may.

    Of what crosses 0 a relative gain would be as large as the single-task network is near it.
    """
    return not any((method.tested(comparison.tasks, comparison.seeds) < 0).any() for method in comparison.methods)


def deltas(comparison: Comparison) -> list[NDArray[np.float64]]:
    """Delta_m (see `mtbench.stats.relative.delta_m`) of each method per seed (S,), in %.

    NaN where the seed has no run of the method, or none of the single-task network, and for methods on another backbone
    than it is on; everywhere, if a change is no share (see `has_shares`).
    """
    if not comparison.tasks:
        return [np.empty(0) for _ in comparison.methods]
    higher = [task.higher_is_better for task in comparison.tasks]
    gains = [delta_m(values, single, higher) for values, single in _beside_single(comparison)]
    return gains if has_shares(comparison) else [np.full_like(gain, np.nan) for gain in gains]


def error_changes(comparison: Comparison) -> list[NDArray[np.float64]]:
    """The relative change of the error rate (see `mtbench.stats.relative.relative_error`) likewise, in %.

    NaN everywhere where a task's metric is no share in % of which more is better.
    """
    if not comparison.tasks:
        return [np.empty(0) for _ in comparison.methods]
    pairs = _beside_single(comparison)
    if any(task.unit != "%" or not task.higher_is_better for task in comparison.tasks):
        pairs = [(values, np.full_like(values, np.nan)) for values, _ in pairs]
    return [relative_error(values, single) for values, single in pairs]


def _beside_single(comparison: Comparison) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Per method its test metrics (S, T) and those of the single-task network it is held against."""
    found = single_task_runs(comparison)
    single = None if found is None else found.tested(comparison.tasks, comparison.seeds)
    pairs = []
    for method in comparison.methods:
        values = method.tested(comparison.tasks, comparison.seeds)
        alike = found is not None and method.runs[0].spec.backbone == found.runs[0].spec.backbone
        pairs.append((values, single if single is not None and alike else np.full_like(values, np.nan)))
    return pairs
