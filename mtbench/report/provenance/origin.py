"""One number of a summary table, traced back to its runs: ``mtbench why``."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import Number, Quantity, quantities
from mtbench.report.marks import MARKS
from mtbench.report.prose.names import method_names, table_name
from mtbench.report.provenance.made import made, made_of_constant
from mtbench.report.provenance.runs import RunList, run_list

__all__ = ["Origin", "known_columns", "known_methods", "origin"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The origin of a number of a summary table.

    Attributes:
        table: the name of the table, as in macros: ``mmnist3, quick``.
        quick: True if the table is a preview, not a result.
        method: the name of the method, as in macros; or the name of the constant prediction.
        title: the title of the method in the list of runs; empty for the constant prediction.
        column: the name of the column, as in macros.
        number: the number, as the table has it.
        unit: its unit; may be empty.
        says: sentences on what was measured or counted, and what was made of it.
        marks: the marks behind the number, each with its meaning.
        note: a sentence on the runs of the method that are not as they should be; empty without any.
        runs: the runs that it is made of, the method's own first, with the values of each; no methods for the constant
            prediction, which has the same value in all runs of a table.
    """

    table: str
    quick: bool
    method: str
    title: str
    column: str
    number: Number
    unit: str
    says: tuple[str, ...]
    marks: tuple[tuple[str, str], ...]
    note: str
    runs: RunList

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON: None for what is not known."""
        number = self.number
        return {
            "table": self.table,
            "preview": self.quick,
            "method": self.method,
            "column": self.column,
            "cell": number.cell,
            "number": number.says or None,
            "std": number.std or None,
            "interval": list(number.interval) if number.interval else None,
            "n": number.n,
            "value": _known(number.value),
            "unit": self.unit,
            "made": list(self.says),
            "marks": dict(self.marks),
            "note": self.note,
            "runs": [
                {
                    "method": title,
                    "seed": line.seed,
                    "run": line.run,
                    "folder": str(line.folder),
                    "state": line.state,
                    "why": line.why,
                    "level": line.level or None,
                    "machine": line.machine or None,
                    "values": dict(zip(self.runs.heads, map(_known, line.numbers), strict=False)),
                }
                for title, method in self.runs.methods.items()
                for line in method.lines
            ],
            "code": {title: list(method.code) for title, method in self.runs.methods.items()},
            "commands": {title: method.command for title, method in self.runs.methods.items()},
            "machines": [dict(machine) for machine in self.runs.machines],
        }


def known_methods(results: Results, comparison: Comparison) -> dict[str, int | None]:
    """Return the places of the rows of a summary table by their names: those of macros first, then titles and labels;
    None for the constant prediction, unless a method has its name."""
    table = results.table(comparison)
    names = [(name, place) for place, name in enumerate(method_names(results, comparison))]
    names += [(name, place) for place, row in enumerate(table.rows) for name in (row.method, row.label)]
    known: dict[str, int | None] = {}
    for name, place in names:
        known.setdefault(name, place)
    if table.constants:
        known.setdefault(table.constants.name, None)
    return known


def known_columns(results: Results, comparison: Comparison) -> dict[str, Quantity]:
    """Return the columns of a summary table by their names."""
    return {each.name: each for each in quantities(comparison, results.table(comparison))}


def origin(results: Results, comparison: Comparison, method: str, column: str) -> Origin:
    """Return the origin of a number.

    Args:
        results: the report that has the table.
        comparison: the runs of the table.
        method: one of `known_methods`.
        column: one of `known_columns`.
    """
    table, place = results.table(comparison), known_methods(results, comparison)[method]
    quantity = known_columns(results, comparison)[column]
    if place is None:
        found, number, row, name = made_of_constant(comparison, quantity), quantity.below, None, method
        titles: tuple[str, ...] = ()
    else:
        found, number, row = made(comparison, table, quantity, place), quantity.numbers[place], table.rows[place]
        name, titles = method_names(results, comparison)[place], (row.method, *found.others)
    return Origin(
        table=table_name(comparison),
        quick=comparison.quick,
        method=name,
        title=row.method if row else "",
        column=column,
        number=number,
        unit=found.unit,
        says=tuple(filter(None, (*found.says, *_bold(number), *_lacking(comparison, number)))),
        marks=tuple((mark, MARKS[mark][1]) for mark in number.marks),
        note=row.note if row else "",
        runs=_ordered(run_list(comparison, titles, found.values), titles),
    )


def _ordered(runs: RunList, titles: Sequence[str]) -> RunList:
    return replace(runs, methods={title: runs.methods[title] for title in titles})


def _lacking(comparison: Comparison, number: Number) -> Iterator[str]:
    """Yield why there is no number where runs lack what the rules of a convention need."""
    if comparison.reading and not number.says:
        yield from comparison.reading.lacking


def _bold(number: Number) -> Iterator[str]:
    if number.bold:
        yield "Bold: it is the best mean, and significantly better than that of every other method."


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
