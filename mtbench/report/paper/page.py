"""The summary table of a paper in words: a caption of one sentence above few columns."""

from collections.abc import Iterator
from dataclasses import replace

from mtbench.report.exhibits.summary.data import Table
from mtbench.report.exhibits.summary.quantities import RANK_INTERVAL
from mtbench.report.marks import MARKS
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import Words, plain
from mtbench.report.paper.table import PaperTable

__all__ = ["paper_page"]

_OF = {"Δm": "delta-m", "Rank:": RANK_INTERVAL}
"""Beginnings of sentences of the usual caption that are about one column, and the name of that."""


def paper_page(usual: Page, table: Table, shown: PaperTable) -> Page:
    """Return the page of a paper's table, with details and footnotes as they are on the usual one.

    Args:
        usual: the usual page of the summary table.
        table: the summary table.
        shown: the part of it that the paper shows.
    """
    heads = tuple(column.head for column in shown.columns)
    layout = Layout(
        header=("method", *heads),
        lines=tuple(
            (
                *plain([line.name]),
                *(Words(says=number.cell, bold=number.bold) for number in line.numbers),
            )
            for line in shown.lines
        ),
        tasks=sum(not column.of_all for column in shown.columns),
        costs=0,
    )
    left_out = f"There is no room for the columns {', '.join(shown.left_out)}." if shown.left_out else ""
    caption = _sentence(list(_parts(usual, table, shown)))
    return replace(
        usual,
        layout=layout,
        methods=tuple(line.title for line in shown.lines),
        seeds={head: seeds for head, seeds in usual.seeds.items() if head in heads},
        caption=(caption,),
        aside=caption,
        footnotes=(*usual.footnotes, *([left_out] if left_out else [])),
    )


def _sentence(parts: list[str]) -> str:
    first, *rest = parts
    return "; ".join([first, *map(_continued, rest)]) + "."


def _continued(part: str) -> str:
    """Return a part of a sentence that begins as one, in lower case, unless it begins with a name."""
    return part[0].lower() + part[1:] if part[0].isascii() and part[1:2].islower() else part


def _parts(usual: Page, table: Table, shown: PaperTable) -> Iterator[str]:
    """Yield the parts of the caption: the usual sentences on what is shown, and the meanings of marks and lines."""
    names = {column.name.split()[0] for column in shown.columns}
    for sentence in usual.caption:
        is_of = next((name for start, name in _OF.items() if sentence.startswith(start)), "")
        if sentence[0] not in MARKS and (not is_of or is_of in names):
            single = next((line.name for line in shown.lines if line.title == table.single), table.single)
            yield sentence.rstrip(".").replace(f" {table.single} (", f" {single} (")
    for mark in shown.marks:
        constant = f"the {table.constants.name}" if table.constants else ""
        yield f"{mark}: {MARKS[mark][1].replace('the constant prediction', constant or 'the constant prediction')}"
    if any(any(line.second) for line in shown.lines):
        yield "underlined: second best mean"
