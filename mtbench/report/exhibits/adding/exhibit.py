"""The exhibit of a task that is added to a trained network."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.adding.data import additions
from mtbench.report.exhibits.adding.figure import draw_adding
from mtbench.report.exhibits.adding.page import adding_frame, adding_page
from mtbench.report.text import slug

__all__ = ["Adding"]


class Adding(Exhibit):
    """Results of a task that is added to trained networks, and of the tasks before it."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for addition in additions(runs):
            fixed = (slug(f"{key}-{value}") for key, value in addition.fixed)
            stem = "-".join([runs.slug, "adding", slug(addition.dataset), *fixed])
            yield Shown(
                pages={stem: adding_page(runs, addition, stem)},
                numbers={stem: adding_frame(runs, addition)},
                figures={stem: partial(draw_adding, runs, addition, results.looks)},
            )
