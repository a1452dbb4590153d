"""Columns of a table that belong to tasks, in words: one per task, or quantiles over many tasks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.report import marks, text
from mtbench.report.data.columns import Column, is_wide
from mtbench.report.exhibits.summary.data import Row, Table
from mtbench.report.page.words import DASH, Words, plain, task_head, written

__all__ = ["InWords", "columns_in_words", "decimals_of", "explained"]

_QUANTILES = {"10 %": 0.1, "median": 0.5, "90 %": 0.9}


@dataclass(frozen=True, kw_only=True)
class InWords:
    """A column in words.

    Attributes:
        head: its head.
        cells: one per method.
        below: the cell of the constant prediction.
        is_mean: True if it is a mean over tasks.
        place: its place among the columns of the table; None for quantiles, which are of several.
    """

    head: str
    cells: tuple[Words, ...]
    below: str
    is_mean: bool
    place: int | None = None


def explained(table: Table) -> str:
    """Return what the columns of a table of many tasks are."""
    tasks = len({column.name for column in table.columns if not column.is_mean})
    above = f"; above: tasks above the {table.constants.name}" if table.constants else ""
    return f"{', '.join(_QUANTILES)}: quantiles over {tasks} tasks of their means over seeds{above}."


def columns_in_words(table: Table, *, every_task: bool = False) -> list[InWords]:
    """Return the columns of the tasks, then those of means over tasks.

    Args:
        every_task: True if each task has its column even if there are many.
    """
    mixed = len({_measured(column) for column in table.columns}) > 1
    columns = [_in_words(table, index, mixed=mixed) for index in range(len(table.columns))]
    if every_task or not is_wide(table.columns):
        return columns
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for index, column in enumerate(table.columns):
        if not column.is_mean:
            groups.setdefault(_measured(column), []).append(index)
    short = [column for group in groups.values() for column in _over_tasks(table, group, mixed=mixed)]
    return [*short, *(column for column in columns if column.is_mean)]


def _in_words(table: Table, index: int, *, mixed: bool) -> InWords:
    column, digits = table.columns[index], decimals_of(table, [index])
    return InWords(
        head=task_head(column) if mixed else column.name,
        cells=tuple(
            Words(says=written(cell.summary, digits) + marks.CONSTANT * cell.constant, bold=cell.best)
            for cell in (row.cells[index] for row in table.rows)
        ),
        below=_number(table.constants.values[index] if table.constants else math.nan, digits),
        is_mean=column.is_mean,
        place=index,
    )


def _over_tasks(table: Table, group: Sequence[int], *, mixed: bool) -> Iterator[InWords]:
    """Yield the quantiles over some columns, which have one metric, and how many of them are above the constant."""
    digits, name = decimals_of(table, group), f"{table.columns[group[0]].metric} " if mixed else ""
    below = [table.constants.values[index] for index in group] if table.constants else []
    for head, at in _QUANTILES.items():
        yield InWords(
            head=f"{name}{head}",
            cells=plain(
                _quantile([row.cells[index].summary.mean for index in group], at, digits) for row in table.rows
            ),
            below=_quantile(below, at, digits),
            is_mean=False,
        )
    if known := [index for index, value in zip(group, below, strict=False) if not math.isnan(value)]:
        cells = plain(_above(row, known) for row in table.rows)
        yield InWords(head=f"{name}above", cells=cells, below=DASH, is_mean=False)


def _above(row: Row, columns: Sequence[int]) -> str:
    cells = [row.cells[index] for index in columns if row.cells[index].summary.n]
    return f"{sum(not cell.constant for cell in cells)}/{len(cells)}" if cells else DASH


def _quantile(values: Sequence[float], at: float, digits: int) -> str:
    known = [value for value in values if not math.isnan(value)]
    return _number(float(np.quantile(known, at)) if known else math.nan, digits)


def _number(value: float, digits: int) -> str:
    return DASH if math.isnan(value) else text.fixed(value, digits)


def decimals_of(table: Table, group: Sequence[int]) -> int:
    """Return the number of decimals of some columns of one metric."""
    below = [table.constants.values[index] for index in group] if table.constants else []
    means = [*(row.cells[index].summary.mean for row in table.rows for index in group), *below]
    return text.decimals([mean for mean in means if not math.isnan(mean)], table.columns[group[0]].unit)


def _measured(column: Column) -> tuple[str, str, bool]:
    return column.metric, column.unit, column.higher_is_better
