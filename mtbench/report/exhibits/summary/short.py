"""A short table: the columns of some metrics beside the methods, and nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

from mtbench.report.data.columns import is_wide
from mtbench.report.exhibits.summary.columns import columns_in_words
from mtbench.report.exhibits.summary.data import Table
from mtbench.report.page.layout import Layout
from mtbench.report.page.words import Words, plain

__all__ = ["short_layout"]


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
                (Words(says=row.label + "†" * row.stale), *(column.cells[index] for column in columns))
                for index, row in enumerate(table.rows)
            ),
            *([plain((table.constants.name, *(column.below for column in columns)))] if table.constants else []),
        ),
        tasks=sum(not column.is_mean for column in columns),
        costs=0,
        together=1 if is_wide(table.columns) else max(1, len(words)),
    )
