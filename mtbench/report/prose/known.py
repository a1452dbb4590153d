"""Numbers of reports by the names that sentences use for them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mtbench.errors import UsageError, did_you_mean, shortlist
from mtbench.report import text
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.prose.names import KINDS
from mtbench.report.prose.numbers import claim_tables, numbers_of
from mtbench.report.prose.table import Numbers

__all__ = ["Known", "Name", "known_numbers"]

_PLAIN = re.compile(r"[+-]?\d+(?:\.(?P<decimals>\d+))?")
_MOST_DECIMALS = 12
_MEANINGS = {"sd": "standard deviation", "n": "number of runs", "low": "interval", "high": "interval"}


@dataclass(frozen=True, kw_only=True)
class Name:
    """The names of a number: of its table, method and column, and the kind of macro that prints it."""

    table: str
    method: str
    column: str
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The numbers of reports.

    Attributes:
        tables: the numbers of each table, by its name.
        short: the names of tables, by their short names.
        ambiguous: names of tables that two reports have; their numbers cannot be named.
    """

    tables: dict[str, Numbers] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)

    def find(self, name: Name) -> Number:
        """Return a number.

        Raises:
            UsageError: there is no such number; the text says what is missing, and what there is.
        """
        if name.kind not in KINDS:
            macros = ", ".join(rf"\mtb{kind}" for kind in KINDS)
            raise UsageError(rf"there is no macro \mtb{name.kind}.", allowed=f"Macros: {macros}.")
        full = self.short.get(name.table, name.table)
        if full in self.ambiguous:
            raise UsageError(f"two reports have a table '{full}'.", mend="Report fewer runs at a time.")
        if full not in self.tables:
            raise _absent(f"table '{full}' in the report", full, [*self.short, *self.tables], "Tables")
        table = self.tables[full]
        lines = {line.method: line for line in table.lines}
        if name.method not in lines:
            raise _absent(f"{table.of} '{name.method}' in '{full}'", name.method, lines, f"{table.of.capitalize()}s")
        if name.column not in table.columns:
            raise _absent(f"column '{name.column}' in '{full}'", name.column, table.columns, "Columns")
        number = lines[name.method].numbers.get(name.column)
        if number is None or not _says(number, name.kind):
            lacking = "number" if number is None else _MEANINGS[name.kind.replace("interval", "low")]
            raise UsageError(
                f"there is no {lacking} of '{name.method}' in column '{name.column}' of '{full}'.",
                where=lines[name.method].note,
            )
        return number

    def says(self, name: Name, written: str = "") -> str:
        """Return the text of a number: as in its table, or the number itself with as many decimals as are written.

        Args:
            name: its name.
            written: the text in a document.

        Raises:
            UsageError: see `find`.
        """
        number = self.find(name)
        says, wanted = _says(number, name.kind), _PLAIN.fullmatch(written)
        if name.kind or not wanted or not _PLAIN.fullmatch(says):
            return says
        decimals = len(wanted["decimals"] or "")
        if decimals == len(says.partition(".")[2]) or decimals > _MOST_DECIMALS:
            return says
        return (text.signed if says.startswith("+") else text.fixed)(number.value, decimals)


def known_numbers(reports: Iterable[Results]) -> Known:
    """Return the numbers of the summary tables of reports, and of the claims of suites."""
    known = Known()
    for results in reports:
        tables = [numbers_of(results, comparison) for comparison in results.comparisons if comparison.tasks]
        for table in (*tables, *claim_tables(results)):
            if table.name in known.tables:
                known.ambiguous.add(table.name)
            known.tables[table.name] = table
            if table.short:
                known.short[table.short] = table.name
    return known


def _says(number: Number, kind: str) -> str:
    """Return the text of a number by the kind of its macro; empty where it has none."""
    low, high = number.interval or ("", "")
    return {
        "": number.says,
        "sd": number.std,
        "n": "" if number.n is None else str(number.n),
        "low": low,
        "high": high,
        "interval": low and f"{low} to {high}",
        "cell": number.cell,
    }[kind]


def _absent(given: str, name: str, there: Iterable[str], heading: str) -> UsageError:
    names = list(dict.fromkeys(there))
    return UsageError(
        f"there is no {given}.", mend=did_you_mean(name, names), allowed=f"{heading}: {shortlist(names)}."
    )
