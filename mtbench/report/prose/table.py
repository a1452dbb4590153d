"""Numbers as the macros of ``numbers.tex`` name them: by table, line and column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.marks import marks_in_math
from mtbench.report.page.latex import escape_latex

__all__ = ["Line", "Numbers"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The numbers of a method, or of a claim.

    Attributes:
        method: its name.
        note: a sentence on the runs that are not as they should be; empty without any.
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
    """The numbers of a summary table, or of the claims of a suite.

    Attributes:
        name: its name.
        short: its short name; empty where it has none.
        quick: True if it is a preview, not a result.
        columns: the names of its columns.
        lines: the methods, then the constant prediction; or the claims.
        of: a word for the lines: ``method`` or ``claim``.
    """

    name: str
    short: str
    quick: bool
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    of: str = "method"


def _fields(number: Number) -> tuple[str, ...]:
    low, high = number.interval or ("", "")
    count = "" if number.n is None else str(number.n)
    words = (_in_text_and_math(said) for said in (number.says, number.std, count, low, high))
    return (*words, marks_in_math(number.marks))


def _in_text_and_math(says: str) -> str:
    """Return a number for LaTeX, with signs that it prints within a formula and outside of one."""
    return re.sub(r"\$([^$]+)\$", r"\\ensuremath{\1}", escape_latex(says))
