"""A short table: the columns of some metrics beside the methods, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from mtbench.report import marks
from mtbench.report.data.choices import Choices, RankFamily
from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.summary.columns import columns_in_words
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.page.layout import Layout
from mtbench.report.page.words import Words, plain

__all__ = ["short_layout", "table_of"]


def table_of(metric: str, comparison: Comparison, choices: Choices) -> Table | None:
    """Return the summary table of one further metric, with nothing bold; None if no task has it, or if the reader has
    chosen the metrics that tables show."""
    if choices.metrics or all(each.name != metric for task in comparison.tasks for each in task.metrics):
        return None
    table = build_table(comparison, replace(choices, metrics=(metric,), rank_intervals=RankFamily(shown=False)))
    rows = (replace(row, cells=tuple(replace(cell, best=False) for cell in row.cells)) for row in table.rows)
    return replace(table, rows=tuple(rows))


def short_layout(table: Table, words: Mapping[str, str] = MappingProxyType({})) -> Layout:
    """Lay out the columns of some metrics in %, with nothing else beside the methods.

    Args:
        words: for several metrics, the words for each metric in heads, without unit and direction, which
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
                (
                    Words(says=row.label + marks.STALE * row.stale + marks.GROWN * row.grown),
                    *(column.cells[index] for column in columns),
                )
                for index, row in enumerate(table.rows)
            ),
            *([plain((table.constants.name, *(column.below for column in columns)))] if table.constants else []),
        ),
        tasks=sum(not column.is_mean for column in columns),
        costs=0,
        together=1 if is_wide(table.columns) else max(1, len(words)),
    )
