"""The exhibit of methods over their cost."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.matched.data import matched_arms
from mtbench.report.exhibits.matched.figure import draw_matched
from mtbench.report.exhibits.matched.page import matched_frame, matched_page

__all__ = ["Matched"]


class Matched(Exhibit):
    """Results of methods over their weights and multiply-accumulates."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for found in matched_arms(runs):
            stem = f"{runs.stem(found.sheet)}-matched"
            yield Shown(
                pages={stem: matched_page(runs, found)},
                numbers={stem: matched_frame(runs, found)},
                figures={stem: partial(draw_matched, runs, found, results.looks)} if found.points else {},
            )
