"""Choices of a reader: which metrics tables show, and by which convention Δm is taken."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from mtbench.errors import UsageError, did_you_mean
from mtbench.report.data.paper import PaperStyle
from mtbench.store.record import TaskInfo

__all__ = [
    *("ALL", "AVERAGES", "BASES", "DEFAULT", "FAMILIES", "REFERENCES", "SIGNS"),
    *("Choices", "Convention", "RankFamily", "parse_choices"),
]

ALL = "all"
"""Every metric of every task."""
AVERAGES = {
    "task": "the mean over the metrics of each task, then over tasks,",
    "metric": "the mean over the metrics of all tasks",
    "main": "the mean over the tasks' primary metrics",
}
"""Averages that are in use for Δm, in words."""
SIGNS = {"gain": "↑", "drop": "↓"}
"""Signs of Δm that are in use, with the better direction."""
BASES = ("seed", "mean")
"""Divisors of Δm: the single-task run of the same seed, or the mean of the single-task runs."""
REFERENCES = ("constants", "own-start")
"""Divisors of Δm in conventions of published code: printed constants, or the run's own first epoch."""


FAMILIES = ("all", "letters", "baselines")
"""Families of pairs that intervals of ranks may be made of."""


def _check(option: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UsageError(
            f"{option} is '{value}'.", mend=did_you_mean(value, allowed), allowed=f"Allowed: {', '.join(allowed)}."
        )


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A convention of Δm; published tables use several, which differ in size and in sign.

    Each metric M that is a part of Δm (`mtbench.contract.Metric.in_delta`) has r = s (M - B) / |B|, where s = -1 if
    lower is better, else 1.

    Attributes:
        average: ``task`` (mean of r within each task, then over tasks), ``metric`` (mean of all r), or ``main`` (mean
            over the tasks' primary metrics). They agree where every task has one metric.
        sign: ``gain`` (100 r, higher is better) or ``drop`` (-100 r, lower is better).
        base: B, ``seed`` (the single-task run of the same seed) or ``mean`` (the mean of the single-task runs); or one
            of `REFERENCES`, where a comparison was read by a convention.
    """

    average: str = field(default="task", metadata={"option": "--delta", "allowed": tuple(AVERAGES)})
    sign: str = field(default="gain", metadata={"option": "--delta-sign", "allowed": tuple(SIGNS)})
    base: str = field(default="seed", metadata={"option": "--delta-base", "allowed": (*BASES, *REFERENCES)})

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.metadata["option"], getattr(self, each.name), each.metadata["allowed"])

    @property
    def head(self) -> str:
        """The head of a column of Δm, with the better direction."""
        return f"Δm {SIGNS[self.sign]}"


@dataclass(frozen=True, kw_only=True)
class RankFamily:
    """The pairs of methods that intervals of ranks are made of.

    Attributes:
        pairs: ``all``, ``letters`` (all, and a column of letters), or ``baselines`` (those with the best method, with
            single-task networks and with the reference).
        blocks: True to compare runs of one seed with each other.
        shown: True if tables have a column of the intervals; web pages and ``numbers.tex`` always have them.
    """

    pairs: str = "all"
    blocks: bool = True
    shown: bool = True

    def __post_init__(self) -> None:
        _check("--rank-intervals", self.pairs, FAMILIES)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Everything that a reader may choose of summary tables.

    Attributes:
        metrics: names of the metrics that are shown, of the tasks that have them; `ALL` for every one; empty for each
            task's primary one.
        delta: the convention of Δm.
        rank: True if the mean rank of each method is shown.
        rank_intervals: the pairs of which the interval of each method's rank is made.
        paper: the form of tables for a paper; None for tables with everything that is known.
    """

    metrics: tuple[str, ...] = ()
    delta: Convention = Convention()
    rank: bool = False
    rank_intervals: RankFamily = RankFamily(shown=False)
    paper: PaperStyle | None = None

    def named(self, tasks: Collection[TaskInfo]) -> tuple[str, ...]:
        """Return the names of the metrics to show of these tasks; empty for the primary ones, as where no task has any
        of the metrics."""
        names = {metric.name for task in tasks for metric in task.metrics}
        if self.metrics == (ALL,):
            return tuple(names)
        return tuple(name for name in self.metrics if name in names)


DEFAULT = Choices()
"""The primary metrics, and the gain by tasks over the single-task run of the same seed."""


def parse_choices(
    metrics: str,
    delta: Convention,
    tasks: Iterable[TaskInfo],
    *,
    rank: bool = False,
    rank_intervals: str = "",
    paper: PaperStyle | None = None,
) -> Choices:
    """Return the choices of a command line.

    Args:
        metrics: names with commas, or `ALL`, or nothing.
        delta: the convention of Δm.
        tasks: the tasks of all records, whose metrics are known.
        rank: True if the mean rank is shown.
        rank_intervals: one of `FAMILIES`, or nothing for no column of the intervals of ranks.
        paper: the form of tables for a paper, if any.

    Raises:
        UsageError: no task has a metric of that name, or there is no such family.
    """
    family = RankFamily(pairs=rank_intervals) if rank_intervals else RankFamily(shown=False)
    chosen = Choices(delta=delta, rank=rank, rank_intervals=family, paper=paper)
    known = sorted({metric.name for task in tasks for metric in task.metrics})
    names = tuple(dict.fromkeys(name.strip() for name in metrics.split(",") if name.strip()))
    if ALL in names:
        return replace(chosen, metrics=(ALL,))
    for name in names:
        if name not in known:
            raise UsageError(
                f"no task of these runs has the metric '{name}'.",
                mend=did_you_mean(name.lower(), [ALL, *known]),
                allowed=f"Metrics here: {', '.join(known)}; or {ALL}.",
            )
    return replace(chosen, metrics=names)
