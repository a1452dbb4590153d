"""A summary table of a paper: the chosen columns and their order, in the width of the paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.suite import MEAN
from mtbench.report import marks
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.paper import PaperStyle
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import RANK_INTERVAL, Number, Quantity, quantities
from mtbench.report.page.words import DASH
from mtbench.report.paper.measure import COLUMN, GAP, PAGE, number_width, text_width
from mtbench.report.paper.references import display_names
from mtbench.report.text import wrap

__all__ = ["HEAD", "Line", "PaperTable", "check_columns", "paper_table"]

NAMES = (26, 20, 16, 12)
"""Characters in a line of a method's name: the first number for which the table fits."""
HEAD = 12
"""Characters in a line of a head."""
_DELTA = "delta-m"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method.

    Attributes:
        title: its title; empty for the constant prediction.
        name: its display name.
        numbers: a number per column.
        second: for each column True if its number is underlined.
    """

    title: str
    name: str
    numbers: tuple[Number, ...]
    second: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A summary table of a paper.

    Attributes:
        columns: its columns.
        lines: the methods in their order, then the constant prediction.
        left_out: names of columns for which there is no room.
        name: characters in a line of a method's name.
        points: its width.
    """

    columns: tuple[Quantity, ...]
    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    name: int
    points: float

    @property
    def marks(self) -> str:
        """The marks of its numbers, each once."""
        return "".join(dict.fromkeys(mark for line in self.lines for number in line.numbers for mark in number.marks))


def check_columns(results: Results, style: PaperStyle) -> None:
    """Raise UsageError if a column that was chosen is in no table of the results."""
    names = dict.fromkeys(
        each.name for comparison in results.comparisons for each in quantities(comparison, results.table(comparison))
    )
    for option, name in (*(("--columns", name) for name in style.columns), ("--sort", style.sort)):
        if name and names and name not in names:
            raise UsageError(
                f"{option} is '{name}', and no table here has such a column.",
                mend=did_you_mean(name, names),
                allowed=f"Columns: {', '.join(names)}; with --metrics and --rank there are more.",
            )


def paper_table(results: Results, comparison: Comparison, style: PaperStyle) -> PaperTable:
    """Return the summary table of a comparison as a paper prints it.

    Columns that were chosen and that this table lacks are left out of it.

    Raises:
        UsageError: there is no room for the columns that were chosen.
    """
    table = results.table(comparison)
    known = {each.name: each for each in quantities(comparison, table, style.digits)}
    names = display_names(comparison)
    below = (table.constants.name,) if table.constants else ()
    room = PAGE if style.wide else COLUMN
    shown = [known[name] for name in style.columns if name in known]
    usual = [each for each in known.values() if not each.of_all or each.name.split()[0] == MEAN or each.name == _DELTA]
    columns, name, points = _fitted(shown or usual, (*names.values(), *below), room, fewer=not shown)
    if points > room:
        raise UsageError(
            f"the columns {', '.join(each.name for each in columns)} take about {points:.0f} points, and there are "
            f"{room:.0f}.",
            mend=f"Choose fewer --columns{'' if style.wide else ', or --wide for a table as wide as a page'}.",
            where=f"Table: {comparison.dataset_title}, {comparison.title}.",
        )
    second = [_second(column) if style.underline_second else set() for column in columns]
    order = _order(known.get(style.sort), len(table.rows))
    lines = [
        Line(
            title=table.rows[place].method,
            name=names[table.rows[place].method],
            numbers=tuple(column.numbers[place] for column in columns),
            second=tuple(place in places for places in second),
        )
        for place in order
    ]
    lines += [
        Line(title="", name=name, numbers=tuple(column.below for column in columns), second=(False,) * len(columns))
        for name in below
    ]
    return PaperTable(
        columns=tuple(columns),
        lines=tuple(lines),
        left_out=() if shown else tuple(each.name for each in usual if each not in columns),
        name=name,
        points=points,
    )


def _fitted(
    columns: Sequence[Quantity], names: Sequence[str], room: float, *, fewer: bool
) -> tuple[Sequence[Quantity], int, float]:
    """Return columns that fit, the characters of names for which they do, and the points that they take then.

    Args:
        columns: the columns.
        names: the names of methods.
        room: points that there are.
        fewer: True if tasks may be left out: all where there is a column of the whole method, else the last ones.
    """
    whole = [each for each in columns if each.of_all]
    tasks = [each for each in columns if not each.of_all]
    parts = [whole] if whole else [tasks[:count] for count in range(len(tasks) - 1, 0, -1)]
    for some in (columns, *(part for part in parts if fewer)):
        for name in NAMES:
            if (points := _width(some, names, name)) <= room:
                return some, name, points
    return some, name, points


def _width(columns: Sequence[Quantity], names: Sequence[str], name: int) -> float:
    """Return the points that a table of some columns takes with names of so many characters."""
    first = max(_wrapped(says, name) for says in ("method", *names))
    return first + sum(
        GAP + max(_wrapped(column.head, HEAD), *map(_points, (*column.numbers, column.below))) for column in columns
    )


def _wrapped(says: str, width: int) -> float:
    return max(map(text_width, wrap(says, width).split("\n")))


def _points(number: Number) -> float:
    if not number.says:
        return text_width(DASH)
    return number_width(number.says, number.std, number.marks, bold=number.bold)


def _order(column: Quantity | None, count: int) -> list[int]:
    """Return the places of methods, those with the best numbers first; as they are without a column."""
    if column is None:
        return list(range(count))
    sign = 1 if column.higher_is_better is False else -1

    def key(place: int) -> tuple[bool, float]:
        value = column.numbers[place].value
        return math.isnan(value), 0.0 if math.isnan(value) else sign * value

    return sorted(range(count), key=key)


def _second(column: Quantity) -> set[int]:
    """Return the places of the second best number; none of intervals, and where no number is ranked."""
    chosen = any(marks.CHOSEN in number.marks for number in column.numbers)
    if column.higher_is_better is None or column.name == RANK_INTERVAL or chosen:
        return set()
    known = {place: number.value for place, number in enumerate(column.numbers) if not math.isnan(number.value)}
    values = sorted({*known.values()}, reverse=column.higher_is_better)
    second = {place for place, value in known.items() if len(values) > 1 and value == values[1]}
    return {place for place in second if marks.CONSTANT not in column.numbers[place].marks}
