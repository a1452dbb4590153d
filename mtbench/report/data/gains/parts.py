"""The parts of Δm: that of each metric, and what the rounding of printed constants does to it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mtbench.report.data.choices import Convention
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.relative import delta_parts_of, delta_terms, deltas, other_averages
from mtbench.report.text import listed, signed
from mtbench.stats.relative import delta_m

__all__ = ["large_parts", "mean_parts", "rounding_bands"]


def mean_parts(comparison: Comparison, convention: Convention) -> list[dict[tuple[str, str], float]]:
    """Return per method the part of each metric in its Δm, by task and metric, in points: the mean over the seeds that
    have a Δm. Empty for a method without one."""
    if not comparison.tasks:
        return [{} for _ in comparison.methods]
    terms, found = delta_terms(comparison.tasks, convention.average), []
    for gain, parts in zip(deltas(comparison, convention), delta_parts_of(comparison, convention), strict=True):
        known = ~np.isnan(gain)
        means = parts[known].mean(axis=0).tolist() if known.any() else []
        found.append(dict(zip(terms.pairs, means, strict=False)))
    return found


def large_parts(
    comparison: Comparison, convention: Convention, parts: Sequence[Mapping[tuple[str, str], float]]
) -> str:
    """Return a sentence on metrics of which one makes more than half of a method's Δm; empty if there are none.

    It does if its part is larger in amount than those of all others together. Where each task has one metric the
    columns of the table show as much, and nothing is said.

    Args:
        parts: the parts of each method, see `mean_parts`.
    """
    if not comparison.tasks or not other_averages(comparison, convention.average):
        return ""
    groups: dict[tuple[str, str], list[str]] = {}
    for method, each in zip(comparison.methods, parts, strict=True):
        amounts = sum(map(abs, each.values()))
        for pair, part in each.items():
            if abs(part) > amounts / 2 and abs(part) > _VISIBLE:
                said = f"{method.title} ({signed(part)} of {signed(sum(each.values()))})"
                groups.setdefault(pair, []).append(said)
    if not groups:
        return ""
    said = "; ".join(f"{metric} of {task} in {listed(who)}" for (task, metric), who in groups.items())
    return f"One metric makes more than half of Δm: {said}."


def rounding_bands(comparison: Comparison, convention: Convention) -> Sequence[float]:
    """Return per method how far its Δm may be off, in points, for half a last digit of every constant; NaN without.

    Every gain falls or rises with its divisor, so that the ends are those where each constant is at an end.
    """
    reference = comparison.reading.reference if comparison.reading else None
    if not comparison.tasks or not reference or not reference.halves:
        return [math.nan] * len(comparison.methods)
    terms = delta_terms(comparison.tasks, convention.average)
    halves = np.array([reference.halves.get(pair, math.nan) for pair in terms.pairs])
    signs = np.where(terms.higher, 1.0, -1.0)
    bands = []
    for method in comparison.methods:
        values = method.measured(terms.pairs, comparison.seeds)
        base = reference.measured(method.title, terms.pairs, comparison.seeds)
        middle, *ends = (
            delta_m(values, base + shift * signs * halves, terms.higher, terms.groups) for shift in (0, -1, 1)
        )
        off = np.abs(np.array(ends) - middle).max(axis=0)
        bands.append(float(np.nanmax(off)) if not np.isnan(off).all() else math.nan)
    return bands


_VISIBLE = 0.005
"""The least part that two decimals may show."""
