"""The numbers of a summary table by the names of their columns, each with all that its cell says."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mtbench.plan.suite import MEAN
from mtbench.report import marks, text
from mtbench.report.data.choices import SIGNS
from mtbench.report.data.columns import Column
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.cost.expense import Expense
from mtbench.report.exhibits.summary.columns import decimals_of
from mtbench.report.exhibits.summary.data import Cell, Row, Table
from mtbench.report.exhibits.summary.page import cost_heads, costs_in_words, rank_in_words, row_marks, runs_in_words
from mtbench.report.exhibits.summary.rank_caption import RANK_HEAD
from mtbench.report.page.words import DASH, task_head
from mtbench.stats.summary import Summary

__all__ = ["COSTS", "NONE", "RANK_INTERVAL", "Number", "Quantity", "quantities"]

COSTS = ("params", "macs", "labels", "time", "memory")
"""Names of the columns of `mtbench.report.exhibits.summary.page.cost_heads`."""

RANK_INTERVAL = "rank-interval"
"""Name of the column of intervals of ranks."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as a cell of the summary table says it.

    Attributes:
        value: the unrounded number, of an interval its middle; NaN where there is none.
        says: the number in words; empty where there is none.
        std: the standard deviation in words; empty where there is none.
        interval: the ends of the 95 % confidence interval of the mean, or of the rank, in words; None without one.
        n: number of runs; None where it is of no runs.
        marks: the marks of what is not as it should be: those of the method, of the cell, and of runs that are lacking.
        bold: True if its cell is bold.
    """

    value: float = math.nan
    says: str = ""
    std: str = ""
    interval: tuple[str, str] | None = None
    n: int | None = None
    marks: str = ""
    bold: bool = False

    @property
    def cell(self) -> str:
        """All that a cell says: the number, its standard deviation and its marks; a dash where there is none."""
        if not self.says:
            return DASH
        return f"{self.says}{self.std and f' ± {self.std}'}{self.marks}"


NONE = Number()
"""The place of a number that is not there."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A column of a summary table.

    Attributes:
        name: its name on the command line and in macros: a task, ``mean``, ``delta-m``, ``time``, ...
        head: its head.
        numbers: a number per row of the table.
        below: the number of the constant prediction.
        higher_is_better: the good direction; None where there is none.
        of_all: True if it belongs to the whole method, not to a task.
        column: the metric that it shows; None if it is of no single metric.
    """

    name: str
    head: str
    numbers: tuple[Number, ...]
    below: Number = NONE
    higher_is_better: bool | None = None
    of_all: bool = True
    column: Column | None = None


def quantities(comparison: Comparison, table: Table, digits: int | None = None) -> list[Quantity]:
    """Return all columns of a summary table: every task, means, and what belongs to the whole method.

    Names are unique. A primary metric has the name of its task (``mean``, of the mean over tasks), any other metric
    stands behind that name: ``depth relative-error``. So no name depends on the metrics that were chosen.

    Args:
        comparison: the runs that the table is made of.
        table: the summary table.
        digits: decimals of metrics and of gains; None for those of the table.
    """
    gains = list(_gains(table, 2 if digits is None else digits))
    whole = [*gains, *_ranks(table), *_rank_intervals(table), *_counts(table), *_expenses(table)]
    return [*_metrics(comparison, table, digits, {each.name for each in whole}), *whole]


def _metrics(comparison: Comparison, table: Table, digits: int | None, taken: set[str]) -> Iterator[Quantity]:
    mixed = len({(each.metric, each.unit, each.higher_is_better) for each in table.columns}) > 1
    for place, column in enumerate(table.columns):
        shown = decimals_of(table, [place]) if digits is None else digits
        below = table.constants.values[place] if table.constants else math.nan
        yield Quantity(
            name=_name(comparison, column, taken),
            head=task_head(column) if mixed else column.name,
            numbers=tuple(_metric(row, row.cells[place], shown) for row in table.rows),
            below=NONE if math.isnan(below) else Number(value=below, says=text.fixed(below, shown)),
            higher_is_better=column.higher_is_better,
            of_all=column.is_mean,
            column=column,
        )


def _metric(row: Row, cell: Cell, digits: int) -> Number:
    return _number(row, cell.summary, digits, marks.CONSTANT * cell.constant, bold=cell.best)


def _name(comparison: Comparison, column: Column, taken: set[str]) -> str:
    """Return the name of a column of metrics: with the metric unless it is the primary one, or the name is taken."""
    common = comparison.common_metric
    primary = {task.name: task.metric for task in comparison.tasks} | ({MEAN: common.metric} if common else {})
    plain = column.metric == primary.get(column.name) and column.name not in taken
    return column.name if plain else f"{column.name} {column.metric}"


def _gains(table: Table, digits: int) -> Iterator[Quantity]:
    """Yield Δm, by every other average that differs from it here, and the change of the error rate."""
    if not table.columns or not table.single:
        return
    sign = SIGNS[table.convention.sign]

    def of(name: str, head: str, summaries: Iterable[Summary], *, up: bool) -> Quantity:
        numbers = tuple(_gain(table, row, each, digits) for row, each in zip(table.rows, summaries, strict=True))
        return Quantity(name=name, head=head, numbers=numbers, higher_is_better=up)

    gain = table.convention.sign == "gain"
    yield of("delta-m", table.convention.head, (row.delta for row in table.rows), up=gain)
    for average in table.averages:
        key = (average, table.convention.base)
        yield of(f"delta-m {average}", f"Δm {average} {sign}", (row.deltas[key] for row in table.rows), up=gain)
    if any(row.error.n for row in table.rows):
        yield of("delta-err", "Δerr", (row.error for row in table.rows), up=False)


def _gain(table: Table, row: Row, summary: Summary, digits: int) -> Number:
    if row.idle and table.quick:
        return NONE
    return _number(row, summary, digits, marks.CONSTANT * row.idle, sign=True)


def _number(row: Row, summary: Summary, digits: int, behind: str, *, sign: bool = False, bold: bool = False) -> Number:
    if not summary.n:
        return NONE
    written = text.signed if sign else text.fixed
    low, high = summary.interval or (None, None)
    return Number(
        value=summary.mean,
        says=written(summary.mean, digits),
        std="" if summary.std is None else text.fixed(summary.std, digits),
        interval=None if low is None or high is None else (written(low, digits), written(high, digits)),
        n=summary.n,
        marks=row_marks(row) + behind + marks.LACKING * (summary.n < row.planned),
        bold=bold,
    )


def _ranks(table: Table) -> Iterator[Quantity]:
    if table.ranked:
        numbers = tuple(_plain(row, row.rank, text.fixed(row.rank)) for row in table.rows)
        yield Quantity(name="rank", head="rank ↓", numbers=numbers, higher_is_better=False)


def _rank_intervals(table: Table) -> Iterator[Quantity]:
    if any(row.interval for row in table.rows):
        numbers = tuple(_rank_interval(row) for row in table.rows)
        yield Quantity(name=RANK_INTERVAL, head=RANK_HEAD, numbers=numbers, higher_is_better=False)


def _rank_interval(row: Row) -> Number:
    if row.interval is None:
        return NONE
    letters = f" {row.letters}" if row.letters else ""
    low, high = row.interval
    number = _plain(row, (low + high) / 2, rank_in_words(row.interval) + letters)
    return replace(number, interval=(str(low), str(high)))


def _counts(table: Table) -> Iterator[Quantity]:
    numbers = tuple(Number(value=row.finished, says=runs_in_words(row)) for row in table.rows)
    yield Quantity(name="n", head="n", numbers=numbers)


def _expenses(table: Table) -> Iterator[Quantity]:
    said = [costs_in_words(row.expense) for row in table.rows]
    values: Sequence[Callable[[Expense], float | None]] = (
        lambda each: each.parameter_ratio,
        lambda each: each.macs,
        lambda each: each.label_uses,
        lambda each: each.relative if table.yardstick else each.seconds,
        lambda each: each.memory,
    )
    for place, (name, head, value) in enumerate(zip(COSTS, cost_heads(table), values, strict=True)):
        numbers = tuple(
            _plain(row, value(row.expense) if row.expense else None, words[place])
            for row, words in zip(table.rows, said, strict=True)
        )
        yield Quantity(name=name, head=head, numbers=numbers, higher_is_better=False)


def _plain(row: Row, value: float | None, says: str) -> Number:
    """Return a number without a spread; none where there is no value."""
    if value is None or math.isnan(value):
        return NONE
    behind = row_marks(row) + marks.LACKING * (row.finished < row.planned)
    return Number(value=value, says=says, n=row.finished, marks=behind)
