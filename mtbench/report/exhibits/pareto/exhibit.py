"""Exhibits of tasks against each other: fronts of searches, and methods beside them."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.data.studies import home
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.pareto.data import trade_off
from mtbench.report.exhibits.pareto.figure import draw_scatter, draw_validation
from mtbench.report.exhibits.pareto.page import pareto_page
from mtbench.report.exhibits.pareto.rows import pareto_frame, pareto_rows
from mtbench.report.exhibits.searches import distinct, start_of
from mtbench.report.text import slug

__all__ = ["Pareto", "Scatter"]


class Pareto(Exhibit):
    """Front of each search over the tasks, and tests of methods against it."""

    order = 100

    def show(self, results: Results) -> Iterator[Shown]:
        taken = set[str]()
        for found in results.studies:
            if found.study.objective == "mean":
                continue
            comparison = home(found, results.comparisons)
            trade = trade_off(found, comparison, results.studies)
            rows = pareto_rows(trade)
            stem = distinct(f"{start_of(results, found, comparison)}-search-{slug(found.title)}", taken)
            yield Shown(
                pages={stem: pareto_page(found, trade, rows, stem)},
                numbers={stem: pareto_frame(found, trade, rows)},
                figures={
                    f"{stem}-scatter": partial(draw_scatter, trade, results.looks),
                    f"{stem}-validation": partial(draw_validation, trade),
                },
                folder=comparison.folder,
            )


class Scatter(Exhibit):
    """Methods of each comparison in the space of the tasks, where the suite has no search."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons if not results.studies else ():
            if comparison.tasks:
                draw = partial(draw_scatter, trade_off(None, comparison), results.looks)
                yield Shown(figures={f"{results.stem(comparison)}-scatter": draw}, beside=comparison)
