"""Mean ranks of methods, within a dataset over its tasks and over several datasets, and the agreement of the order with
the order without one of the tasks or datasets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.rank import ranked_means
from mtbench.report.data.gains.relative import delta_terms
from mtbench.stats.ranking import kendall_tau, mean_ranks

__all__ = ["DATASETS", "METHODS", "Dropped", "Overall", "overall", "without_tasks"]

DATASETS = 3
"""The smallest number of datasets that an overall rank is a mean over."""
METHODS = 3
"""The smallest number of methods whose order is compared."""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """The order of methods without one task or dataset.

    Attributes:
        name: the task or dataset that is left out.
        tau: Kendall's tau-b of the mean ranks with those of all tasks or datasets; NaN if either order is all ties.
        first: the methods with the best mean rank without it.
    """

    name: str
    tau: float
    first: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Overall:
    """Mean ranks over datasets.

    Attributes:
        datasets: the names of the D datasets.
        methods: the R methods that are ranked on all of them, the best first.
        ranks: (R, D) the mean rank of each method on each dataset, among these methods.
        mean: (R,) the mean over datasets.
        dropped: the order without each dataset.
    """

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    ranks: NDArray[np.float64]
    mean: NDArray[np.float64]
    dropped: tuple[Dropped, ...]


def without_tasks(comparison: Comparison) -> tuple[Dropped, ...]:
    """Return the order of the methods of a comparison without each of its tasks, by the mean rank over the metrics in
    Δm (see `mtbench.report.data.gains.rank`); nothing of one task, or of fewer than `METHODS` methods."""
    found = _metrics(comparison)
    tasks = tuple(dict.fromkeys(found.tasks))
    if len(tasks) < 2 or len(found.titles) < METHODS:
        return ()
    whole = _ranks(found, found.titles)
    return tuple(_dropped(name, found.titles, whole, _ranks(found, found.titles, without=name)) for name in tasks)


def overall(comparisons: Sequence[Comparison]) -> Overall | None:
    """Return the mean over datasets of the mean rank over each dataset's metrics, of the methods that are ranked on all
    of them; None with fewer than `DATASETS` datasets or `METHODS` such methods.

    Args:
        comparisons: one for each dataset, all under one training protocol.
    """
    found = {each.dataset_title: metrics for each in comparisons if (metrics := _metrics(each)).titles}
    if len(found) < DATASETS:
        return None
    shared = set.intersection(*(set(each.titles) for each in found.values()))
    methods = [title for title in next(iter(found.values())).titles if title in shared]
    if len(methods) < METHODS:
        return None
    ranks = np.stack([_ranks(each, methods) for each in found.values()], axis=1)
    mean = ranks.mean(axis=1)
    order = np.argsort(mean, kind="stable")
    names = tuple(found)
    return Overall(
        datasets=names,
        methods=tuple(methods[index] for index in order),
        ranks=ranks[order],
        mean=mean[order],
        dropped=tuple(
            _dropped(name, methods, mean, np.delete(ranks, index, axis=1).mean(axis=1))
            for index, name in enumerate(names)
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Metrics:
    """Metrics in Δm of the methods that have them all.

    Attributes:
        titles: the R methods.
        tasks: (M,) the task of each metric.
        higher: (M,) True where higher is better.
        means: the means (M,) over seeds by method.
    """

    titles: tuple[str, ...]
    tasks: tuple[str, ...]
    higher: tuple[bool, ...]
    means: Mapping[str, NDArray[np.float64]]


def _metrics(comparison: Comparison) -> _Metrics:
    """Return the metrics of a comparison; of no method where epochs were chosen on the test split."""
    terms = delta_terms(comparison.tasks, "metric")
    chosen = comparison.reading is not None and comparison.reading.chosen_on_test
    rows = zip(comparison.methods, ranked_means(comparison, terms), strict=True)
    means = {} if chosen else {method.title: row for method, row in rows if row.size and not np.isnan(row).any()}
    return _Metrics(titles=tuple(means), tasks=tuple(task for task, _ in terms.pairs), higher=terms.higher, means=means)


def _ranks(metrics: _Metrics, titles: Sequence[str], *, without: str = "") -> NDArray[np.float64]:
    """Return the mean ranks (R,) of some methods among each other, over all metrics but those of one task."""
    kept = [index for index, task in enumerate(metrics.tasks) if task != without]
    values = np.array([metrics.means[title][kept] for title in titles])
    return mean_ranks(values, [metrics.higher[index] for index in kept])


def _dropped(name: str, titles: Sequence[str], whole: NDArray[np.float64], rest: NDArray[np.float64]) -> Dropped:
    best = rest.min()
    first = tuple(title for title, rank in zip(titles, rest, strict=True) if np.isclose(rank, best, rtol=1e-12))
    return Dropped(name=name, tau=float(kendall_tau(whole, rest)), first=first)
