"""The exhibit of what the rows of each summary table have taken."""

from collections.abc import Iterator

from mtbench.report.data.cost.spent import searches_of
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.ledger.page import Entry, ledger_frame, ledger_page

__all__ = ["Ledger"]


class Ledger(Exhibit):
    """Resources behind each row of a summary table: trials, runs, epochs, labels, operations, hours, memory."""

    order = 15

    def show(self, results: Results) -> Iterator[Shown]:
        suite = results.suite.suite.name if results.suite else ""
        sheets = results.suite.sheets if results.suite else ()
        firsts = {
            each.title: sheet.weights[name].first
            for sheet in sheets
            for name, each in zip(sheet.methods, sheet.comparison.methods, strict=True)
            if name in sheet.weights
        }
        for comparison in results.comparisons:
            entries = [
                Entry(method=method.title, runs=method, searches=tuple(searches_of(method, results.studies)))
                for method in comparison.methods
                if method.records
            ]
            if entries:
                stem = f"{results.stem(comparison)}-ledger"
                yield Shown(
                    pages={stem: ledger_page(comparison, entries, stem, suite=suite, firsts=firsts)},
                    numbers={stem: ledger_frame(comparison, entries)},
                    beside=comparison,
                )
