"""The table of distances between the vectors by which tasks modulate a network, beside the summary table."""

import math
from itertools import combinations

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.exhibits.pairs.published import distance
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import plain, written
from mtbench.report.text import slug
from mtbench.stats.summary import Summary, summarize

__all__ = ["distances_page"]

MOST = 12
"""Pairs that are shown at each end where there are more than twice as many."""


def distances_page(comparison: Comparison, choices: Choices = DEFAULT) -> Page | None:
    """Return the distances of pairs of tasks, the nearest first; None where no run has measured any, or where the
    reader has chosen the metrics that tables show."""
    pairs = list(combinations((task.name for task in comparison.tasks), 2))
    methods = [method for method in comparison.methods if any(_of(method, *pair).n for pair in pairs[:1])]
    if choices.metrics or not methods:
        return None
    ordered = sorted(pairs, key=lambda pair: sum(_of(method, *pair).mean for method in methods))
    some = len(ordered) > 2 * MOST
    shown = [*ordered[:MOST], *ordered[-MOST:]] if some else ordered
    return Page(
        title=f"{comparison.dataset_title}, protocol {comparison.title}: distances of modulation vectors",
        label=f"{slug(comparison.dataset_title)}-{slug(comparison.title)}-distances",
        quick=comparison.quick,
        layout=Layout(
            header=("pair of tasks", *(method.title for method in methods)),
            lines=tuple(
                plain(("/".join(pair), *(written(_of(method, *pair), 3) for method in methods))) for pair in shown
            ),
            tasks=len(methods),
            costs=0,
        ),
        caption=(
            f"Distances of modulation vectors on {comparison.dataset_title}, protocol {comparison.title}: mean "
            "absolute difference of the modulation vectors of two tasks over all modulated layers after training, mean "
            "± standard deviation over seeds.",
            *([f"The {MOST} nearest and the {MOST} farthest of {len(ordered)} pairs."] if some else []),
        ),
        details=("All distances are 0 before training.",),
    )


def _of(method: MethodRuns, one: str, other: str) -> Summary:
    values = [distance(record, one, other) for record in method.records.values()]
    return summarize([value for value in values if not math.isnan(value)])
