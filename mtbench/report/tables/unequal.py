"""The table of tasks whose classes are unequal, where accuracy alone says little."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from mtbench.report.results.choices import DEFAULT, Choices
from mtbench.report.results.comparison import Comparison
from mtbench.report.results.constant import BALANCED, MARK, UNEQUAL, unequal_tasks
from mtbench.report.tables.caption import QUICK
from mtbench.report.tables.columns import columns_in_words, explained, is_wide
from mtbench.report.tables.table import Table, build_table
from mtbench.report.tables.words import Words, plain
from mtbench.report.text import listed
from mtbench.report.typeset.layout import Layout, Page, page_of

__all__ = ["short_layout", "unequal_page"]


def unequal_page(comparison: Comparison, choices: Choices = DEFAULT) -> Page | None:
    """Return balanced accuracy and macro F1 of the tasks whose classes are unequal; None where there are none, or where
    the reader has chosen the metrics that tables show."""
    names = {task.name for task in unequal_tasks(comparison)}
    if choices.metrics or not names:
        return None
    whole = build_table(comparison, replace(choices, metrics=BALANCED))
    every = len(names) == len(comparison.tasks)
    columns = enumerate(whole.columns)
    table = _only(whole, [index for index, each in columns if each.name in names or (each.is_mean and every)])
    page = page_of(table)
    short = [explained(table)] if is_wide(table.columns) else []
    return replace(
        page,
        title=f"{page.title}: unequal classes",
        label=f"{page.label}-unequal",
        layout=short_layout(table, {BALANCED[0]: "balanced", BALANCED[1]: "macro F1"}),
        caption=(*([QUICK] if table.quick else []), *_caption(table, names, every=every), *short),
        footnotes=(),
        aside=" ".join([f"{MARK}: not above the {whole.constants.name}." if whole.constants else "", *short]),
    )


def _only(table: Table, kept: Sequence[int]) -> Table:
    """The table with some of its columns, and nothing bold: its tests were of all."""
    assert table.constants is not None  # or no task would be unequal
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(
            replace(row, cells=tuple(replace(row.cells[index], best=False) for index in kept)) for row in table.rows
        ),
        constants=replace(table.constants, values=tuple(table.constants.values[index] for index in kept)),
    )


def short_layout(table: Table, words: Mapping[str, str] = MappingProxyType({})) -> Layout:
    """Lay out the columns of some metrics in %, with nothing else beside the methods.

    Args:
        words: where there are several metrics, by metric what heads say in its place, without unit and direction, which
            are the same everywhere.
    """
    columns = columns_in_words(table)

    def short(head: str) -> str:
        for metric, word in words.items():
            head = head.replace(f"({metric} % ↑)", word).replace(metric, word)
        return head

    return Layout(
        header=("method", *(short(column.head) for column in columns)),
        lines=(
            *(
                (Words(says=row.method + "†" * row.stale), *(column.cells[index] for column in columns))
                for index, row in enumerate(table.rows)
            ),
            *([plain((table.constants.name, *(column.below for column in columns)))] if table.constants else []),
        ),
        tasks=sum(not column.is_mean for column in columns),
        costs=0,
        together=1 if is_wide(table.columns) else max(1, len(words)),
    )


def _caption(table: Table, names: set[str], *, every: bool) -> tuple[str, ...]:
    assert table.constants is not None
    of = "All tasks" if every else f"{len(names)} tasks" if is_wide(table.columns) else f"Tasks {listed(sorted(names))}"
    return (
        f"{of} of {table.dataset}, protocol {table.protocol}, with unequal classes: the {table.constants.name} has at "
        f"least {UNEQUAL:g}/C of the test labels, which are of C classes.",
        "Balanced: balanced accuracy in %, the mean of the recalls of these classes; a constant answer has 100/C. "
        "Macro F1: the mean of their F1 in %. Higher is better; mean ± standard deviation over seeds.",
        f"{MARK}: not above the {table.constants.name}, as in the table before. Nothing is bold here.",
    )
