"""A table of a report as the template of the page needs it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mtbench.report.data.comparison import Comparison
from mtbench.report.marks import GROWN, MARKS
from mtbench.report.page.layout import Page
from mtbench.report.page.words import DASH, Words
from mtbench.report.provenance.runs import RunList, counted_states, run_list
from mtbench.report.web.dots import axis_of, dots
from mtbench.store.trust import REPORTED, lowest

__all__ = ["Cell", "Head", "Row", "WebTable", "web_table"]

_MOST = 24
"""Columns with dots, at most: those of very many tasks are read from the list of runs."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a column.

    Attributes:
        says: its words.
        task: the task of the column; empty if it is of none.
        unit: the unit of its numbers.
        better: ``higher`` or ``lower`` for numbers of seeds and for ranks; else empty.
        place: its place among the columns of the list of runs, from 0; None if it has no numbers of seeds.
    """

    says: str
    task: str = ""
    unit: str = ""
    better: str = ""
    place: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell.

    Attributes:
        says: its words.
        bold: True if it is bold.
        word: the reason why a method has no number where others have one, or the states of its runs if none has
            finished; empty if there is a number.
        runs: True if it is a number of runs that are listed.
        dots: the strip of its seeds as SVG; empty without seeds.
        macro: the arguments of the macros that print its number; empty if it has none.
    """

    says: str
    bold: bool
    word: str = ""
    runs: bool = False
    dots: str = ""
    macro: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line.

    Attributes:
        name: its first cell.
        method: the title of its method; empty if it is of none.
        complete: True if all its runs are there and fresh, or if it is of no method.
        marks: states of runs that are not fresh, and seeds that were added after a look, in words.
        level: the lowest level of trust of its runs, if a run of the table has one above the lowest; else empty.
        cells: its further cells.
    """

    name: Words
    method: str
    complete: bool
    marks: tuple[str, ...]
    level: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class WebTable:
    """A table.

    Attributes:
        id: its id in the page, the beginning of all ids in it.
        stem: the name of its files without the ending; empty if it has none of its own.
        page: the page that it shows.
        heads: heads of the columns.
        rows: lines of methods, or of whatever else the page is of.
        apart: lines that are not sorted among the others: those of no method, below methods.
        runs: the runs of its methods; None where its lines are of no methods.
        files: names of its files.
    """

    id: str
    stem: str
    page: Page
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    apart: tuple[Row, ...]
    runs: RunList | None
    files: tuple[str, ...]

    @property
    def dotted(self) -> bool:
        """True if seeds are shown as dots."""
        return any(cell.dots for row in self.rows for cell in row.cells)


def web_table(page: Page, comparison: Comparison | None, *, name: str, stem: str, files: Sequence[str]) -> WebTable:
    """Return a table of the page.

    Args:
        page: the table in words.
        comparison: the runs of its methods.
        name: its id in the page.
        stem: the name of its files without the ending.
        files: names of its files.
    """
    page = _led(page)
    runs = run_list(comparison, page.methods, page.seeds) if comparison and page.methods else None
    heads = tuple(_head(page, says, runs) for says in page.layout.header)
    methods = page.methods or ("",) * len(page.layout.lines)
    strips = dict(_strips(heads, runs)) if runs else {}
    lines = list(zip(page.layout.lines, methods, strict=True))
    filled = [any(line[column].says != DASH for line, method in lines if method) for column in range(len(heads))]
    rows = [_row(line, method, heads, runs, strips, filled, page.macros) for line, method in lines]
    return WebTable(
        id=name,
        stem=stem,
        page=page,
        heads=heads,
        rows=tuple(row for row in rows if row.method or not page.methods),
        apart=tuple(row for row in rows if page.methods and not row.method),
        runs=runs,
        files=tuple(files),
    )


def _led(page: Page) -> Page:
    """Return a page with its leading column right behind the methods, and sentences on it."""
    lead, layout = page.lead, page.layout
    if lead is None:
        return page
    others = [place for place, head in enumerate(layout.header) if place and head != lead.head]
    lines = zip(layout.lines, page.methods, strict=True)
    led = replace(
        layout,
        header=(layout.header[0], lead.head, *(layout.header[place] for place in others)),
        lines=tuple(
            (line[0], Words(says=lead.cells.get(method, DASH)), *(line[place] for place in others))
            for line, method in lines
        ),
    )
    if lead.head in layout.header:
        return replace(page, layout=led)
    return replace(page, layout=led, caption=(*page.caption, lead.caption), details=(*page.details, lead.details))


def _head(page: Page, says: str, runs: RunList | None) -> Head:
    if page.lead and says == page.lead.head:
        return Head(says=says, better="lower")
    if runs is None or says not in page.seeds:
        return Head(says=says)
    seeds = page.seeds[says]
    better = "higher" if seeds.higher_is_better else "lower"
    return Head(says=says, task=seeds.task, unit=seeds.unit, better=better, place=runs.heads.index(says))


def _strips(heads: Sequence[Head], runs: RunList) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the dots by method and place of the column."""
    places = [head.place for head in heads if head.place is not None]
    for place in places if len(places) <= _MOST else ():
        values = runs.columns[place].values
        if axis := axis_of(list(values.values())):
            for method, of_seeds in values.items():
                yield (method, place), dots(of_seeds, axis)


def _row(
    line: Sequence[Words],
    method: str,
    heads: Sequence[Head],
    runs: RunList | None,
    strips: dict[tuple[str, int], str],
    filled: Sequence[bool],
    macros: Mapping[tuple[str, str], str],
) -> Row:
    name, *cells = line
    known = runs.methods.get(method) if runs else None
    states = counted_states(known.lines) if known else ()
    finished = known is not None and any(line.machine for line in known.lines)
    levels = [line.level for line in known.lines if line.level] if known and _is_checked(runs) else []
    lacking = "no number" if finished else ", ".join(state for state, _ in states)
    return Row(
        name=name,
        method=method,
        complete=known is None or known.complete,
        marks=(*(f"{count} {state}" for state, count in states), *([MARKS[GROWN][1]] if known and known.grown else [])),
        level=lowest(levels) if levels else "",
        cells=tuple(
            Cell(
                says=words.says,
                bold=words.bold,
                word=lacking if known and has and words.says == DASH else "",
                runs=known is not None and head.place is not None and words.says != DASH,
                dots=strips.get((method, head.place), "") if known and head.place is not None else "",
                macro=macros.get((method, head.says), "") if words.says != DASH else "",
            )
            for words, head, has in zip(cells, heads[1:], filled[1:], strict=True)
        ),
    )


def _is_checked(runs: RunList | None) -> bool:
    """Return True if a run of the table has a level of trust above the lowest."""
    lines = [line for method in runs.methods.values() for line in method.lines] if runs else []
    return any(line.level not in ("", REPORTED) for line in lines)
