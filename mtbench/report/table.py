"""The summary table of a comparison: per method and task a mean over seeds, and what is known of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from mtbench.plan.suite import MEAN
from mtbench.report import caption
from mtbench.report.comparison import Comparison, MethodRuns
from mtbench.report.expense import Expense, Yardstick, expense, yardstick
from mtbench.report.relative import deltas, error_changes, single_task_runs
from mtbench.stats.contrast import paired
from mtbench.stats.separation import separated_best
from mtbench.stats.summary import Summary, summarize
from mtbench.store.record import Record

__all__ = ["Cell", "Column", "Row", "Table", "build_table", "columns_of", "scores"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A task, or the mean over tasks.

    Attributes:
        name: the task's name, or ``mean``.
        is_mean: whether it is the mean over tasks within each run.
        metric: what is measured, e.g. ``accuracy``.
        unit: e.g. ``%``; may be empty.
        higher_is_better: the good direction.
    """

    name: str
    is_mean: bool
    metric: str
    unit: str
    higher_is_better: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What the finished runs of a method say of a column; `best` if it is separated from every other method."""

    summary: Summary
    best: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method.

    Attributes:
        method: its title.
        stale: whether some of its runs are stale.
        cells: as the table's columns.
        finished: how many of its runs have a record.
        planned: how many runs it has.
        expense: what it takes; None before a run has finished.
        delta: of Delta_m over its seeds; of no values where there are no single-task runs.
        error: of the relative change of the error rate, likewise.
        note: which runs are not as they should be and why; empty if all are fresh.
    """

    method: str
    stale: bool
    cells: tuple[Cell, ...]
    finished: int
    planned: int
    expense: Expense | None
    delta: Summary
    error: Summary
    note: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table before it is written in any markup.

    Attributes:
        dataset: what people call it.
        protocol: the protocol's title.
        quick: whether it is a look, not a result.
        columns: the tasks, then the mean over them if they share a metric.
        rows: the methods.
        yardstick: what times are relative to; None where they are absolute.
        single: the title of the single-task method that others are relative to; empty if there is none.
        caption: sentences that say what the numbers are.
        footnotes: sentences on runs that are not as they should be.
    """

    dataset: str
    protocol: str
    quick: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    yardstick: Yardstick | None
    single: str
    caption: tuple[str, ...]
    footnotes: tuple[str, ...]


def build_table(comparison: Comparison) -> Table:
    """The summary table of a comparison."""
    columns, unit, single = columns_of(comparison), yardstick(comparison), single_task_runs(comparison)
    values = [scores(comparison, column) for column in columns]
    separation = separated_best(values, [column.higher_is_better for column in columns])
    relative = [list(map(summarize, each)) for each in (deltas(comparison), error_changes(comparison))]
    rows = tuple(
        Row(
            method=method.title,
            stale=method.stale,
            cells=tuple(
                Cell(summary=summarize(rows[index]), best=best == index)
                for rows, best in zip(values, separation.best, strict=True)
            ),
            finished=len(method.records),
            planned=len(method.runs),
            expense=expense(method, unit),
            delta=relative[0][index],
            error=relative[1][index],
            note=caption.note(method, {column.name: _without(method, column) for column in columns}),
        )
        for index, method in enumerate(comparison.methods)
    )
    spreads = any(cell.summary.std is not None for row in rows for cell in row.cells)
    words = caption.Says(
        unit=unit,
        single=single.title if single else "",
        spreads=spreads,
        comparisons=separation.comparisons,
        power=_power(columns, values),
    )
    return Table(
        dataset=comparison.dataset_title,
        protocol=comparison.title,
        quick=comparison.quick,
        columns=columns,
        rows=rows,
        yardstick=unit,
        single=single.title if single else "",
        caption=caption.sentences(comparison, words),
        footnotes=caption.footnotes(comparison, [row.note for row in rows]),
    )


def scores(comparison: Comparison, column: Column) -> np.ndarray:
    """The test metric (methods, seeds) of a column with the reported weights; NaN where there is no finished run."""
    seeds = comparison.seeds
    rows = []
    for method in comparison.methods:
        records = method.records
        rows.append([_score(records[seed], column) if seed in records else math.nan for seed in seeds])
    return np.array(rows, dtype=float).reshape(len(rows), len(seeds))


def columns_of(comparison: Comparison) -> tuple[Column, ...]:
    """The tasks, then the mean over them if they share a metric."""
    tasks = [
        Column(
            name=task.name, is_mean=False, metric=task.metric, unit=task.unit, higher_is_better=task.higher_is_better
        )
        for task in comparison.tasks
    ]
    if common := comparison.common_metric:
        tasks.append(
            Column(
                name=MEAN,
                is_mean=True,
                metric=common.metric,
                unit=common.unit,
                higher_is_better=common.higher_is_better,
            )
        )
    return tuple(tasks)


def _score(record: Record, column: Column) -> float:
    if column.is_mean:
        return record.mean()
    found = [record.score(task) for task in record.tasks if task.name == column.name]
    return found[0] if found else math.nan


def _power(columns: Sequence[Column], values: Sequence[np.ndarray]) -> caption.Power | None:
    """What these seeds can tell, of the last column, which is the mean where there is one."""
    if not columns or len(values[-1]) < 2:
        return None
    column = columns[-1]
    goodness = values[-1] * (1 if column.higher_is_better else -1)
    known = [row for row in goodness if not np.isnan(row).all()]
    if len(known) < 2:
        return None
    best = max(known, key=lambda row: float(np.nanmean(row)))
    against = [paired(best, row) for row in known if row is not best]
    effects = [each.detectable for each in against if each.detectable is not None]
    least = [each.least for each in against if each.least is not None]
    if not effects or not least:
        return None
    return caption.Power(column=column.name, unit=column.unit, detectable=median(effects), least=min(least))


def _without(method: MethodRuns, column: Column) -> list[int]:
    return [seed for seed, record in method.records.items() if math.isnan(_score(record, column))]
