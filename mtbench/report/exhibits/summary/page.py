"""A summary table in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from mtbench.report import marks, text
from mtbench.report.data.choices import SIGNS
from mtbench.report.data.columns import is_wide
from mtbench.report.data.cost.expense import Expense
from mtbench.report.data.kept.runs import KEPT
from mtbench.report.exhibits.summary.columns import columns_in_words, explained
from mtbench.report.exhibits.summary.data import Row, Table
from mtbench.report.exhibits.summary.rank_caption import RANK_HEAD, rank_caption
from mtbench.report.page.layout import Layout, Page, Seeds
from mtbench.report.page.words import DASH, Words, plain, written
from mtbench.stats.summary import Summary

if TYPE_CHECKING:  # planning a suite imports torch, and most tables are of no suite
    from mtbench.report.data.suite.runs import Sheet, SuiteRuns

__all__ = [
    "cost_heads",
    "costs_in_words",
    "lay_out",
    "page_of",
    "rank_in_words",
    "row_marks",
    "runs_in_words",
    "weights_in_words",
    "with_suite",
]

_EACH = "Files whose names end in -table.csv and -tasks.md have every task."
_MEANS = {
    "": "mean over tasks",
    "task": "mean over each task's metrics, then over tasks",
    "metric": "mean over all metrics",
    "main": "mean over primary metrics",
}
"""Averages of Δm in few words, the first where all are the same."""


def page_of(table: Table, *, every_task: bool = False) -> Page:
    """Return a summary table in words.

    Args:
        every_task: True if each task has its column even if there are many.
    """
    is_short = is_wide(table.columns) and not every_task
    short = [explained(table)] if is_short else []
    return Page(
        title=f"{table.dataset}, protocol {table.protocol}",
        label=f"{text.slug(table.dataset)}-{text.slug(table.protocol)}",
        quick=table.quick,
        layout=lay_out(table, every_task=every_task),
        caption=(*table.caption, *short),
        details=(*table.details, *([_EACH] if is_short else [])),
        footnotes=table.footnotes,
        aside=" ".join([*_aside(table), *short, *([_EACH] if is_short else [])]),
        methods=(*(row.method for row in table.rows), *([""] if table.constants else [])),
        seeds=dict(_seeds(table, every_task=every_task)),
    )


def with_suite(page: Page, runs: "SuiteRuns", sheet: "Sheet") -> Page:
    """Return the summary table of a sheet, with what its suite says of itself."""
    suite = runs.suite
    called = [f"{suite.labels[name]} is {name}" for name in sheet.methods if suite.labels.get(name, name) != name]
    said = [f"Suite {suite.name}: {suite.title}.", *([f"After {suite.source}."] if suite.source else [])]
    notes = [*([f"Rows: {'; '.join(called)}."] if called else []), *([suite.note] if suite.note else [])]
    notes += [runs.changed] if runs.changed else []
    notes += weights_in_words(sheet)
    return replace(
        page,
        title=f"{suite.name}: {page.title}",
        label=runs.stem(sheet),
        details=(*said, *page.details),
        footnotes=(*notes, *page.footnotes),
    )


def weights_in_words(sheet: "Sheet") -> list[str]:
    """Return a sentence on each row of a sheet that took its task weights from other runs."""
    titles = dict(zip(sheet.methods, (method.title for method in sheet.comparison.methods), strict=True))
    said = []
    for name, taken in sheet.weights.items():
        count = len(taken.runs)
        values = ", ".join(f"{task} {weight:g}" for task, weight in zip(taken.tasks, taken.weights, strict=True))
        runs = f"its run ({taken.runs[0]})" if count == 1 else f"its {count} runs ({', '.join(taken.runs)})"
        mean = "These runs have changed since: their mean is another one." if name in sheet.moved else ""
        said.append(
            f"{titles[name]} has the mean task weights of {taken.first}: {values}, over {runs}, sealed on "
            f"{taken.at.partition('T')[0]}. {mean}".rstrip()
        )
    return said


def lay_out(table: Table, *, every_task: bool = False) -> Layout:
    """Put a table into words: mean ± std per cell, n as '2/3' where runs are lacking, dashes where nothing is known.

    Below the methods stands the constant prediction, where there is one, and § behind what is not above it. Of more
    than `MANY` tasks there are quantiles, unless every task is asked for.

    Times are ratios, or where there is no yardstick seconds; the head says which.
    """
    columns = columns_in_words(table, every_task=every_task)
    dashes = len(_ranks(table)) + len(_relative(table)) + 1 + len(cost_heads(table))
    below = [*(column.below for column in columns), *[DASH] * dashes]
    return Layout(
        header=("method", *(each.head for each in columns), *_ranks(table), *_relative(table), "n", *cost_heads(table)),
        lines=(
            *(_line(table, row, [column.cells[index] for column in columns]) for index, row in enumerate(table.rows)),
            *([plain((table.constants.name, *below))] if table.constants else []),
        ),
        tasks=sum(not column.is_mean for column in columns),
        costs=len(cost_heads(table)),
    )


def _seeds(table: Table, *, every_task: bool) -> Iterator[tuple[str, Seeds]]:
    """Yield the numbers of seeds behind the columns that have some, by head."""
    for shown in columns_in_words(table, every_task=every_task):
        if shown.place is not None:
            column = table.columns[shown.place]
            yield (
                shown.head,
                Seeds(
                    task="" if column.is_mean else column.name,
                    unit=column.unit,
                    higher_is_better=column.higher_is_better,
                    values={row.method: row.scores[shown.place] for row in table.rows},
                ),
            )
    if any(row.delta.n for row in table.rows):
        gains = {row.method: () if row.idle and table.quick else row.gains for row in table.rows}
        sign = table.convention.sign == "gain"
        yield table.convention.head, Seeds(task="", unit="%", higher_is_better=sign, values=gains)


def _aside(table: Table) -> Iterator[str]:
    if said := rank_caption(table.shown_ranks):
        yield said
    if table.single:
        error = "; Δerr: of the error rate, lower is better" if "Δerr" in _relative(table) else ""
        mean = _MEANS[table.convention.average if table.averages else ""]
        yield f"Δm: {_change(table)} {table.single} in %, {mean}{error}."
    elif table.columns:
        yield "Δm, the gain over single-task networks, needs runs of them."
    if any(row.chosen for row in table.rows):
        yield f"{marks.CHOSEN}: the epoch was chosen on the test split."
    if table.constants and any(cell.constant for row in table.rows for cell in row.cells):
        idle = table.quick and any(row.idle for row in table.rows)
        yield f"{marks.CONSTANT}: not above the {table.constants.name}{'; such tasks have no Δm' if idle else ''}."
    if table.trust:
        yield table.trust
    if unit := table.yardstick:
        yield f"time: training time relative to {unit.method} ({text.duration(unit.seconds)} s per epoch)."


def _ranks(table: Table) -> tuple[str, ...]:
    """Heads of the columns of intervals of ranks."""
    if table.shown_ranks is None:
        return ()
    return (RANK_HEAD, "letters") if table.shown_ranks.family.pairs == "letters" else (RANK_HEAD,)


def _rank(row: Row) -> Iterator[str]:
    """The interval of a row's rank, and its letters."""
    yield rank_in_words(row.interval) if row.interval else DASH
    yield row.letters or DASH


def rank_in_words(interval: tuple[int, int]) -> str:
    """Return an interval of ranks: ``2 to 5``, or ``1`` where there is one rank alone."""
    low, high = interval
    return f"{low} to {high}" if low < high else str(low)


def _change(table: Table) -> str:
    return "gain over" if table.convention.sign == "gain" else "drop from"


def _relative(table: Table) -> tuple[str, ...]:
    """Heads of the columns relative to single-task networks; the first alone, to say that it could be, without them."""
    if not table.columns:
        return ()
    others = [f"Δm {average} {SIGNS[table.convention.sign]}" for average in table.averages] if table.single else []
    ranks = ["rank ↓"] if table.ranked else []
    return (table.convention.head, *others, *["Δerr"] * any(row.error.n for row in table.rows), *ranks)


def _gains(table: Table, row: Row) -> Iterator[str]:
    """Cells in the columns of `_relative`."""
    others = [row.deltas[average, table.convention.base] for average in table.averages] if table.single else []
    errors = [row.error] if any(each.error.n for each in table.rows) else []
    for summary in (row.delta, *others, *errors):
        yield _gain(table, row, summary)
    if table.ranked:
        yield DASH if math.isnan(row.rank) else text.fixed(row.rank)


def cost_heads(table: Table) -> tuple[str, ...]:
    """Return the heads of the columns with the expense of methods."""
    return ("#P", "MACs", "labels", "time" if table.yardstick else "s/epoch", "memory")


def _line(table: Table, row: Row, cells: Sequence[Words]) -> tuple[Words, ...]:
    return (
        Words(says=row.label + row_marks(row) + row.kept),
        *cells,
        *plain(islice(_rank(row), len(_ranks(table)))),
        *plain(_gains(table, row) if table.columns else ()),
        *plain((runs_in_words(row), *costs_in_words(row.expense))),
    )


def row_marks(row: Row) -> str:
    """Return the marks of a method: of stale runs, unlike numerics, too short a training, an epoch chosen on test,
    seeds added after a look."""
    return (
        marks.STALE * row.stale
        + marks.UNLIKE * row.mixed
        + marks.GAINING * (not math.isnan(row.gaining))
        + marks.CHOSEN * row.chosen
        + marks.GROWN * row.grown
    )


def _gain(table: Table, row: Row, summary: Summary) -> str:
    """Return a relative gain; none in a preview if a task of it was not learned."""
    if row.idle and table.quick:
        return DASH
    return written(summary, sign=True) + marks.CONSTANT * (row.idle and summary.n > 0)


def runs_in_words(row: Row) -> str:
    """Return the number of a method's runs, as ``2/3`` where some are lacking."""
    return str(row.planned) if row.finished == row.planned else f"{row.finished}/{row.planned}"


def costs_in_words(expense: Expense | None) -> tuple[str, str, str, str, str]:
    """Return the cells of the columns of `cost_heads`."""
    if expense is None:
        return DASH, DASH, DASH, DASH, DASH
    return (
        text.ratio(expense.parameter_ratio),
        text.counted(expense.macs),
        text.counted(expense.label_uses),
        _time(expense),
        text.memory(expense.memory),
    )


def _time(expense: Expense) -> str:
    if expense.seconds is None:
        return DASH
    if expense.elsewhere:
        return f"{text.duration(expense.seconds)} s{KEPT}"
    if expense.relative is None:
        return text.duration(expense.seconds)
    return text.ratio(round(expense.relative, 2))  # its further digits are noise
