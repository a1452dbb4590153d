"""The exhibit of conventions: Δm of the same runs under each of their rules."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.conventions.data import switched
from mtbench.report.exhibits.conventions.figure import draw_switches
from mtbench.report.exhibits.conventions.page import conventions_frame, conventions_page
from mtbench.report.page.suite import called
from mtbench.report.text import slug

__all__ = ["Conventions"]


class Conventions(Exhibit):
    """Δm and the order of methods by the rules of published code, one at a time, and under other training."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for found in switched(runs):
            stem, titles = f"{runs.slug}-conventions-{slug(found.dataset)}", called(runs.suite, found.sheets)
            yield Shown(
                pages={stem: conventions_page(runs, found, titles, stem)},
                numbers={stem: conventions_frame(runs, found)},
                figures={stem: partial(draw_switches, runs, found, titles, results.looks)},
            )
