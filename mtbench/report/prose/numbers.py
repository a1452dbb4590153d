"""``numbers.tex``: a LaTeX macro for every number of summary tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import Number, quantities
from mtbench.report.marks import GROWN, MARKS, marks_in_math
from mtbench.report.page.latex import escape_latex, fill_template
from mtbench.report.prose.names import method_names, short_name, table_name

__all__ = ["Numbers", "file_name", "numbers_of", "numbers_tex"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The numbers of a method.

    Attributes:
        method: its name.
        note: a sentence on its runs that are not as they should be; empty without any.
        numbers: its numbers by the names of columns; without those that are not there.
    """

    method: str
    note: str
    numbers: Mapping[str, Number]

    @property
    def fields(self) -> list[tuple[str, tuple[str, ...]]]:
        """The name of each column, and the fields of a macro: number, standard deviation, number of runs, ends of the
        interval, marks."""
        return [(column, _fields(number)) for column, number in self.numbers.items()]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of a summary table.

    Attributes:
        name: its name.
        short: its short name; empty where it has none.
        quick: True if it is a preview, not a result.
        columns: the names of its columns.
        lines: the methods, then the constant prediction.
    """

    name: str
    short: str
    quick: bool
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def file_name(results: Results, name: str) -> str:
    """Return the name of a report's file: behind the suite and its size, and the convention, if any."""
    parts = (results.suite.slug if results.suite else "", results.convention, name)
    return "-".join(part for part in parts if part)


def numbers_tex(results: Results, comparisons: Sequence[Comparison]) -> str:
    """Return the content of ``numbers.tex``, with the numbers of some comparisons of a report."""
    grown = any(method.grown for comparison in comparisons for method in comparison.methods)
    known = {mark: meaning for mark, (_, meaning) in MARKS.items() if grown or mark != GROWN}
    return fill_template(
        "numbers.tex",
        tables=[numbers_of(results, comparison) for comparison in comparisons],
        marks=", ".join(f"{mark} ({meaning})" for mark, meaning in known.items()),
        sources=[f"{results.stem(comparison)}-table" for comparison in comparisons],
    )


def numbers_of(results: Results, comparison: Comparison) -> Numbers:
    """Return the numbers of the summary table of one of the comparisons of a report."""
    table = results.table(comparison)
    columns = quantities(comparison, table)
    name, short = table_name(comparison), short_name(comparison, results.comparisons)
    methods = zip(method_names(results, comparison), table.rows, strict=True)
    lines = [
        Line(
            method=method,
            note=row.note,
            numbers={column.name: column.numbers[place] for column in columns if column.numbers[place].says},
        )
        for place, (method, row) in enumerate(methods)
    ]
    if table.constants and table.constants.name not in {line.method for line in lines}:
        below = {column.name: column.below for column in columns if column.below.says}
        lines.append(Line(method=table.constants.name, note="", numbers=below))
    return Numbers(
        name=name,
        short="" if short == name else short,
        quick=comparison.quick,
        columns=tuple(column.name for column in columns),
        lines=tuple(lines),
    )


def _fields(number: Number) -> tuple[str, ...]:
    low, high = number.interval or ("", "")
    count = "" if number.n is None else str(number.n)
    words = (_in_text_and_math(said) for said in (number.says, number.std, count, low, high))
    return (*words, marks_in_math(number.marks))


def _in_text_and_math(says: str) -> str:
    """Return a number for LaTeX, with signs that it prints within a formula and outside of one."""
    return re.sub(r"\$([^$]+)\$", r"\\ensuremath{\1}", escape_latex(says))
