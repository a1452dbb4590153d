"""Mean ranks of the methods of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.relative import Terms, delta_terms, single_task_runs
from mtbench.stats.ranking import mean_ranks

__all__ = ["Ranking", "rank", "ranked_means"]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Mean ranks.

    Attributes:
        ranks: the rank of each method of the comparison, 1 for the best; NaN for one that is not among the rows.
        rows: the titles of those that are ranked among each other.
        metrics: over how many the mean is taken.
    """

    ranks: Sequence[float]
    rows: tuple[str, ...]
    metrics: int


def rank(comparison: Comparison) -> Ranking | None:
    """Return the mean over all metrics in Δm of the rank of each method's mean over seeds, on unrounded values.

    Single-task networks, which methods are relative to, are not ranked, nor is a method that lacks a metric. None where
    epochs were chosen on the test split.
    """
    if not comparison.tasks or (comparison.reading and comparison.reading.chosen_on_test):
        return None
    terms = delta_terms(comparison.tasks, "metric")
    ranks = mean_ranks(ranked_means(comparison, terms), terms.higher).tolist()
    rows = tuple(method.title for method, one in zip(comparison.methods, ranks, strict=True) if one == one)
    return Ranking(ranks=ranks, rows=rows, metrics=len(terms.pairs))


def ranked_means(comparison: Comparison, terms: Terms) -> NDArray[np.float64]:
    """Return the mean over seeds (R, M) of each method in the metrics of some terms; NaN where a method has no value,
    and for single-task networks."""
    single = single_task_runs(comparison)
    means = np.full((len(comparison.methods), len(terms.pairs)), np.nan)
    for row, method in zip(means, comparison.methods, strict=True):
        values = method.measured(terms.pairs, comparison.seeds)
        for at, column in enumerate(values.T):
            if method is not single and not np.isnan(column).all():
                row[at] = np.nanmean(column)
    return means
