"""The exhibit of test errors over training losses."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.gap.data import gaps_of
from mtbench.report.exhibits.gap.figure import draw_gaps
from mtbench.report.exhibits.gap.page import gaps_frame, gaps_page

__all__ = ["Gap"]


class Gap(Exhibit):
    """Test errors of methods over their training losses, and the gap between test and training loss."""

    scope = "request"
    order = 121

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for found in gaps_of(runs):
            stem = f"{runs.stem(found.sheet)}-gap"
            yield Shown(
                pages={stem: gaps_page(runs, found)},
                numbers={stem: gaps_frame(runs, found)},
                figures={stem: partial(draw_gaps, runs, found, results.looks)},
            )
