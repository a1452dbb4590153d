"""Summary tables of a paper in LaTeX: one plain tabular, and the details for the appendix."""

import math
from collections.abc import Iterator, Sequence

from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.marks import marks_in_math
from mtbench.report.page.latex import escape_latex, fill_template, stacked
from mtbench.report.page.layout import Page
from mtbench.report.page.sentences import QUICK
from mtbench.report.page.words import DASH
from mtbench.report.paper.measure import COLUMN, PAGE
from mtbench.report.paper.references import References
from mtbench.report.paper.table import HEAD, Line, PaperTable
from mtbench.report.text import wrap

__all__ = ["details_tex", "table_tex"]

_HEIGHT, _FRAME, _ROW, _LINE = 548.0, 40.0, 9.6, 12.0
"""Points of a page of LaTeX's article, of the rules and spaces of a table, of a row, and of a line of the caption."""
_LETTER = 5.2
"""Points of a letter of a caption."""
_CITATION = 115.0
"""Points that a citation of author and year takes in \\footnotesize."""


def table_tex(table: PaperTable, page: Page, references: References, *, wide: bool) -> str:
    """Return a floating table with one tabular, which is not scaled; of more lines than a page has, further ones.

    Beside the names of methods stand citations if it is as wide as a page and has room for them.

    Args:
        table: the table.
        page: the same in words, with its caption.
        references: the papers to cite.
        wide: True if it is as wide as a page in two columns.
    """
    most = max((len(references.keys.get(line.title, ())) for line in table.lines), default=0)
    cited = references if wide and table.points + _CITATION * most <= PAGE else References(keys={}, entries={})
    return fill_template(
        "paper.tex",
        details=f"{page.label}-details",
        wide=wide,
        title=page.title,
        quick=QUICK if page.quick else "",
        caption=" ".join(page.caption).rstrip("."),
        label=page.label,
        heads=[stacked(column.head, HEAD, "[b]{@{}r@{}}") for column in table.columns],
        parts=[[_line(line, cited, table.name) for line in part] for part in _parts(table, page, wide=wide)],
    )


def details_tex(page: Page, names: Sequence[tuple[str, str]], references: References) -> str:
    """Return a paragraph for the appendix: what the caption, the details and the footnotes of the usual table say.

    Args:
        page: the usual table in words.
        names: titles and display names of methods.
        references: the papers to cite.
    """
    return fill_template(
        "details.tex",
        label=page.label,
        title=page.title,
        quick=QUICK if page.quick else "",
        sentences=(*page.caption, *page.details),
        footnotes=page.footnotes,
        methods=[
            (name if name == title else f"{name} ({title})", references.keys.get(title, ())) for title, name in names
        ],
    )


def _parts(table: PaperTable, page: Page, *, wide: bool) -> Iterator[list[Line]]:
    """Yield the lines of each table: of one, or if a page has no room for it, of several of about equal height."""
    heights = [wrap(line.name, table.name).count("\n") + 1 for line in table.lines]
    caption = math.ceil(_LETTER * sum(map(len, page.caption)) / (PAGE if wide else COLUMN)) + 1
    head = max(wrap(column.head, HEAD).count("\n") + 1 for column in table.columns)
    room = int((_HEIGHT - _FRAME - caption * _LINE) / _ROW) - head
    fair = math.ceil(sum(heights) / math.ceil(sum(heights) / room)) + max(heights) - 1
    part, height = list[Line](), 0
    for line, tall in zip(table.lines, heights, strict=True):
        if part and height + tall > min(fair, room):
            yield part
            part, height = [], 0
        part.append(line)
        height += tall
    yield part


def _line(line: Line, references: References, name: int) -> list[str]:
    keys = references.keys.get(line.title, ())
    shown = stacked(line.name, name, "[t]{@{}l@{}}") + (rf"~\cite{{{','.join(keys)}}}" if keys else "")
    return [shown, *(_cell(number, second=second) for number, second in zip(line.numbers, line.second, strict=True))]


def _cell(number: Number, *, second: bool) -> str:
    if not number.says:
        return escape_latex(DASH)
    says = rf"\underline{{{escape_latex(number.says)}}}" if second else escape_latex(number.says)
    spread = rf"\,{{\scriptsize$\pm$\,{escape_latex(number.std)}}}" if number.std else ""
    marks = f"$^{{{marks_in_math(number.marks)}}}$" if number.marks else ""
    return rf"{{\boldmath\bfseries {says}{spread}}}{marks}" if number.bold else f"{says}{spread}{marks}"
