"""Lines of the page of a report: of its tables, and its sentences."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from mtbench.report.check.line import Line

__all__ = ["html_lines"]

_CELL = re.compile("t[dh]")


def html_lines(text: str) -> Iterator[Line]:
    """Yield the lines of tables and the sentences of a page; drawings, and what tags say, are left out."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    yield from reader.found


class _Reader(HTMLParser):
    """A reader of tables.

    Attributes:
        found: the lines.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found = list[Line]()
        self._title = ""
        self._heads = tuple[str, ...]()
        self._cells: list[str] | None = None
        self._inside = ""
        self._drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a line or a cell."""
        self._drawings += tag == "svg"
        self._inside = tag
        if tag == "div":
            label = dict(attrs).get("aria-label") or ""
            self._title = label.removeprefix("Table: ") if label else self._title
        elif tag == "table":
            self._heads = ()
        elif tag == "tr":
            self._cells = []
        elif _CELL.fullmatch(tag) and self._cells is not None:
            self._cells.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a line."""
        self._drawings -= tag == "svg"
        if tag == "tr" and self._cells is not None:
            cells = tuple(" ".join(cell.split()) for cell in self._cells)
            self._heads = self._heads or cells
            self.found.append(Line(number=self.getpos()[0], cells=cells, heads=self._heads, table=self._title))
            self._cells = None

    def handle_data(self, data: str) -> None:
        """Add a text to its cell, or take it as a sentence."""
        if self._drawings or not data.strip():
            return
        if self._cells:
            self._cells[-1] += f" {data}"
        else:
            self.found.append(Line(number=self.getpos()[0], cells=(" ".join(data.split()),)))
