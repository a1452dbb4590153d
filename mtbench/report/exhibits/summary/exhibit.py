"""The exhibit of a comparison: its summary table, learning curves and points."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.cost.spent import searches_of
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.data.kept.runs import kept_mark
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.summary.figure import draw_curves, draw_points
from mtbench.report.exhibits.summary.numbers import curve_means, points_frame, table_frame
from mtbench.report.exhibits.summary.page import page_of, rank_in_words, with_suite
from mtbench.report.exhibits.summary.quantities import quantities
from mtbench.report.exhibits.summary.rank_caption import RANK_HEAD, rank_caption, rank_details, rank_footnote
from mtbench.report.figure.style import COLUMN_WIDTH
from mtbench.report.page.layout import Lead
from mtbench.report.paper.references import display_names
from mtbench.report.paper.shown import paper_shown
from mtbench.report.prose.names import macro, method_names, short_name
from mtbench.report.text import listed

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
            page = replace(page, footnotes=(*page.footnotes, *_untuned(results, comparison)))
            macros = dict(_macros(results, comparison))
            lead = None if results.choices.paper else _lead(results, comparison)
            page = replace(page, macros=macros, lead=lead)
            names = display_names(comparison) if results.choices.paper else comparison.labels
            marked = {each.title: names[each.title] + kept_mark(each) for each in comparison.methods}
            place: dict[str, Any] = {"names": marked}
            if results.choices.paper:
                place["width"] = COLUMN_WIDTH
            wide = is_wide(table.columns) and not results.convention
            yield Shown(
                pages={f"{stem}-table": page},
                wide={f"{stem}-tasks": replace(page_of(table, every_task=True), macros=macros, lead=lead)}
                if wide
                else {},
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


def _lead(results: Results, comparison: Comparison) -> Lead | None:
    """Return the column of intervals of ranks; None where no method has one."""
    ranks = results.table(comparison).ranks
    if ranks is None:
        return None
    intervals = zip(comparison.methods, ranks.found.intervals, strict=True)
    cells = {method.title: rank_in_words(interval) for method, interval in intervals if interval}
    details = " ".join(filter(None, (rank_details(comparison, ranks), rank_footnote(ranks))))
    return Lead(head=RANK_HEAD, cells=cells, caption=rank_caption(ranks), details=details) if cells else None


def _untuned(results: Results, comparison: Comparison) -> Iterator[str]:
    """Yield a footnote on rows whose settings a search chose, where their Δm is over untuned networks."""
    studies = [found for found in results.studies if found.study.objective == "mean"]
    tuned = [method.title for method in comparison.methods if searches_of(method, studies)]
    single = single_task_runs(comparison)
    if tuned and single and single.title not in tuned:
        yield (
            f"A search chose the settings of {listed(tuned)}, and not those of {single.title}, over which Δm is: the "
            "table of tuned settings compares them with equal budgets."
        )


def _macros(results: Results, comparison: Comparison) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the arguments of the macros of the numbers of a summary table, by method and head of the column."""
    table, name = results.table(comparison), short_name(comparison, results.comparisons)
    for column in quantities(comparison, table):
        for row, number, method in zip(table.rows, column.numbers, method_names(results, comparison), strict=True):
            if number.says:
                yield (row.method, column.head), macro(name, method, column.name).removeprefix(r"\mtb")
