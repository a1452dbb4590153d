"""The exhibit of a suite over datasets with more and more tasks."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.scaling.cost import costs_page
from mtbench.report.exhibits.scaling.data import scales
from mtbench.report.exhibits.scaling.figure import draw_scaling
from mtbench.report.exhibits.scaling.page import scaling_frame, scaling_page
from mtbench.report.text import slug

__all__ = ["Scaling"]


class Scaling(Exhibit):
    """Results and costs over the number of tasks."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for scale in scales(runs):
            stem = "-".join([runs.slug, "tasks", *(slug(f"{key}-{value}") for key, value in scale.variation)])
            pages = (scaling_page(runs, scale, stem), costs_page(runs, scale, f"{stem}-cost"))
            yield Shown(
                pages={page.label: page for page in pages},
                numbers={stem: scaling_frame(runs, scale)},
                figures={stem: partial(draw_scaling, runs, scale, results.looks)},
            )
