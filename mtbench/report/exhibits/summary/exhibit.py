"""The exhibit of a comparison: its summary table, learning curves and points."""

from collections.abc import Iterator, Mapping
from functools import partial

from mtbench.report.data.columns import is_wide
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.summary.figure import draw_curves, draw_points
from mtbench.report.exhibits.summary.numbers import curve_means, points_frame, table_frame
from mtbench.report.exhibits.summary.page import page_of, with_suite
from mtbench.report.paper.shown import paper_shown

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
            wide = is_wide(table.columns) and not results.convention
            yield Shown(
                pages={f"{stem}-table": page},
                wide={f"{stem}-tasks": page_of(table, every_task=True)} if wide else {},
                texts=texts,
                numbers={f"{stem}-table": table_frame(table)},
                figures={
                    f"{stem}-curves": partial(draw_curves, comparison, results.looks),
                    f"{stem}-points": partial(draw_points, comparison, table.convention, results.looks),
                }
                if results.is_drawn(comparison)
                else {},
                drawn={
                    f"{stem}-curves": partial(curve_means, comparison),
                    f"{stem}-points": partial(points_frame, table),
                },
                beside=comparison,
            )
