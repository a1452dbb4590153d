"""The exhibit of a comparison: its summary table, learning curves and points."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.summary.figure import draw_curves, draw_points
from mtbench.report.exhibits.summary.numbers import curve_means, points_frame, table_frame
from mtbench.report.exhibits.summary.page import page_of, with_suite
from mtbench.report.exhibits.summary.quantities import quantities
from mtbench.report.figure.style import COLUMN_WIDTH
from mtbench.report.paper.references import display_names
from mtbench.report.paper.shown import paper_shown
from mtbench.report.prose.names import macro, method_names, short_name

__all__ = ["Summary"]


class Summary(Exhibit):
    """Summary table of each comparison, with its learning curves and a dot per seed."""

    order = 10
    by_convention = True

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            table, stem = results.table(comparison), results.stem(comparison)
            page, sheet = page_of(table), results.sheet(comparison)
            if results.suite and sheet:
                page = with_suite(page, results.suite, sheet)
            texts: Mapping[str, str] = {}
            if results.choices.paper and comparison.tasks:
                page, texts = paper_shown(results, comparison, results.choices.paper, page, stem)
            macros = dict(_macros(results, comparison))
            page = replace(page, macros=macros)
            place: dict[str, Any] = (
                {"width": COLUMN_WIDTH, "names": display_names(comparison)} if results.choices.paper else {}
            )
            wide = is_wide(table.columns) and not results.convention
            yield Shown(
                pages={f"{stem}-table": page},
                wide={f"{stem}-tasks": replace(page_of(table, every_task=True), macros=macros)} if wide else {},
                texts=texts,
                numbers={f"{stem}-table": table_frame(table)},
                figures={
                    f"{stem}-curves": partial(draw_curves, comparison, results.looks, **place),
                    f"{stem}-points": partial(draw_points, comparison, table.convention, results.looks, **place),
                }
                if results.is_drawn(comparison)
                else {},
                drawn={
                    f"{stem}-curves": partial(curve_means, comparison),
                    f"{stem}-points": partial(points_frame, table),
                },
                beside=comparison,
            )


def _macros(results: Results, comparison: Comparison) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the arguments of the macros of the numbers of a summary table, by method and head of the column."""
    table, name = results.table(comparison), short_name(comparison, results.comparisons)
    for column in quantities(comparison, table):
        for row, number, method in zip(table.rows, column.numbers, method_names(results, comparison), strict=True):
            if number.says:
                yield (row.method, column.head), macro(name, method, column.name).removeprefix(r"\mtb")
