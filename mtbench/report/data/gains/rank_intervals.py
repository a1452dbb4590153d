"""Intervals of the ranks of a comparison's methods, for tables and pages."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench import registry
from mtbench.plan.spec import Choice
from mtbench.report.data.choices import DEFAULT, Choices, RankFamily
from mtbench.report.data.columns import columns_of, scores
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.gains.relative import deltas, single_task_runs
from mtbench.report.data.unlike import mixed
from mtbench.stats.ranks.differences import Differences
from mtbench.stats.ranks.intervals import RankIntervals
from mtbench.stats.ranks.intervals import rank_intervals as intervals_of

__all__ = ["Ranked", "rank_intervals"]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Intervals of the ranks of a comparison's methods.

    Attributes:
        found: the intervals, in the order of the comparison's methods.
        family: the pairs of methods that are compared.
        by: the quantity that is ranked, e.g. ``mean accuracy``.
        unit: its unit; may be empty.
        baselines: titles of the methods that all others are compared with, if not all pairs are compared.
        apart: titles of methods whose variance is significantly larger.
        without: titles of methods with a finished run that have no interval.
        unlike: for methods that are compared with others whose runs have unlike numerics, the titles of those.
    """

    found: RankIntervals
    family: RankFamily
    by: str
    unit: str
    baselines: tuple[str, ...]
    apart: tuple[str, ...]
    without: tuple[str, ...]
    unlike: Mapping[str, tuple[str, ...]]

    @property
    def methods(self) -> int:
        """The number of methods that are ranked."""
        return int(self.found.differences.compared.sum())


def rank_intervals(comparison: Comparison, choices: Choices = DEFAULT) -> Ranked | None:
    """Return the interval of each method's rank, of its mean over tasks, or of Δm where metrics are unlike.

    The mean over tasks is that of the first of the chosen metrics that all tasks have. None where there is neither,
    and where epochs were chosen on the test split.

    Args:
        choices: the reader's choices.
    """
    if not comparison.tasks or (comparison.reading and comparison.reading.chosen_on_test):
        return None
    family = choices.rank_intervals
    values, higher, by, unit = _quantity(comparison, choices)
    if np.isnan(values).all():
        return None
    among = family.pairs == "baselines"
    fixed = _baselines(comparison) if among else ()
    found = intervals_of(values, higher_is_better=higher, blocks=family.blocks, baselines=fixed if among else None)
    titles = [method.title for method in comparison.methods]
    rows = zip(titles, comparison.methods, found.intervals, strict=True)
    return Ranked(
        found=found,
        family=family,
        by=by,
        unit=unit,
        baselines=tuple(titles[each] for each in fixed),
        apart=tuple(title for title, apart in zip(titles, found.differences.apart, strict=True) if apart),
        without=tuple(title for title, method, interval in rows if method.records and interval is None),
        unlike=dict(_unlike(comparison, found.differences, fixed if among else None, blocks=family.blocks)),
    )


def _quantity(comparison: Comparison, choices: Choices) -> tuple[NDArray[np.float64], bool, str, str]:
    """Return what is ranked per method and seed (M, S), its good direction, its name and its unit."""
    if mean := next((column for column in columns_of(comparison, choices) if column.is_mean), None):
        return scores(comparison, mean), mean.higher_is_better, f"mean {mean.metric}", mean.unit
    return np.array(deltas(comparison, choices.delta)), choices.delta.sign == "gain", "Δm", "%"


def _unlike(
    comparison: Comparison, found: Differences, baselines: Sequence[int] | None, *, blocks: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the methods that are compared with others of unlike numerics, and those."""
    ranked = np.flatnonzero(found.compared)
    fixed = set(ranked if baselines is None else [*baselines, *ranked[[np.argmax(found.means[ranked])]]])
    for at in ranked:
        method = comparison.methods[at]
        others = [comparison.methods[each] for each in ranked if each != at and {at, each} & fixed]
        if unlike := tuple(other.title for other in others if mixed(method, other, paired=blocks)):
            yield method.title, unlike


def _baselines(comparison: Comparison) -> Sequence[int]:
    """Return the places of single-task networks, and of the reference network with the reference balancer."""
    backbones = Counter(str(method.runs[0].spec.backbone) for method in comparison.methods)
    reference = (
        Choice(name=registry.reference("method")),
        Choice(name=registry.reference("balancer")),
        backbones.most_common(1)[0][0],
    )
    single = single_task_runs(comparison)
    return [at for at, method in enumerate(comparison.methods) if method is single or _parts(method) == reference]


def _parts(method: MethodRuns) -> tuple[Choice, Choice, str]:
    spec = method.runs[0].spec
    return spec.network, spec.balancer, str(spec.backbone)
