"""Lines of the files of a report, with the names of their cells."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from mtbench.report.check.html import html_lines
from mtbench.report.check.line import Line
from mtbench.report.prose.macros import arguments

__all__ = ["lines_of", "markdown_lines"]

_NAMING = frozenset(
    ("dataset", "method", "first", "second", "name", "trial", "seed", "split", "task", "metric", "column", "epoch")
)
"""Columns of CSV files that together name a line."""
_NUMBER = ("table", "method", "column", "number", "standard deviation", "runs", "low", "high", "marks")
"""Fields of a macro in ``numbers.tex``."""
_STACKED = re.compile(r"\\begin\{tabular\}\[[bt]\]\{@\{\}[lr]@\{\}\}(.*?)\\end\{tabular\}")
"""A name in several lines, see `mtbench.report.page.latex.stacked`."""


def lines_of(name: str, text: str) -> list[Line]:
    """Return the lines of a file of a report, read by the ending of its name.

    Args:
        name: the name of the file.
        text: its content.
    """
    return list(_READERS.get(PurePath(name).suffix, _sentences)(text))


def markdown_lines(text: str) -> Iterator[Line]:
    """Yield the lines of Markdown, with tables as GitHub has them."""
    heads, title = tuple[str, ...](), ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            title = line.lstrip("# ")
        if not line.startswith("|"):
            heads = ()
        if line.startswith("|"):
            cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            yield Line(number=number, cells=cells, heads=heads or cells, table=title)
            heads = heads or cells
        else:
            yield Line(number=number, cells=(line,))


def _csv_lines(text: str) -> Iterator[Line]:
    reader = csv.reader(text.splitlines(keepends=True))
    heads = tuple[str, ...]()
    for cells in reader:
        heads = heads or tuple(cells)
        naming = tuple(place for place, head in enumerate(heads) if head in _NAMING) or (0,)
        yield Line(number=reader.line_num, cells=tuple(cells), heads=heads, naming=naming)


def _latex_lines(text: str) -> Iterator[Line]:
    """Yield the lines of LaTeX: of tables, and of the macros of ``numbers.tex``."""
    heads, above = tuple[str, ...](), ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(r"\mtb@number{"):
            *names, fields = arguments(line, line.index("{"), 4)[0]
            values = arguments(fields, 0, 6)[0]
            yield Line(number=number, cells=(*names, *values), heads=_NUMBER, naming=(0, 1, 2))
        elif line.endswith(r"\\") and (cells := tuple(re.split(r"(?<!\\) & ", line.removesuffix(r"\\").strip()))):
            cells = tuple(_STACKED.sub(lambda found: found[1].replace(r"\\", ""), cell) for cell in cells)
            heads = cells if above == r"\toprule" else heads
            yield Line(number=number, cells=cells, heads=heads)
        else:
            yield Line(number=number, cells=(line,))
        above = line


def _sentences(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), start=1):
        yield Line(number=number, cells=(line,))


_READERS: Mapping[str, Callable[[str], Iterator[Line]]] = {
    ".csv": _csv_lines,
    ".html": html_lines,
    ".md": markdown_lines,
    ".tex": _latex_lines,
}
