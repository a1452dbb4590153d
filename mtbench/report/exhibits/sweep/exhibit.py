"""The exhibit of a setting that a suite varies."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.sweep.data import sweeps
from mtbench.report.exhibits.sweep.figure import draw_sweep
from mtbench.report.exhibits.sweep.page import sweep_frame, sweep_page
from mtbench.report.text import slug

__all__ = ["Sweep"]


class Sweep(Exhibit):
    """Results over each setting that a suite varies."""

    scope = "request"
    order = 120

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for sweep in sweeps(runs):
            fixed = (slug(f"{key}-{value}") for key, value in sweep.fixed)
            stem = "-".join([runs.slug, "sweep", slug(sweep.setting), *fixed])
            parts = [part for part in sweep.parts if part.columns]
            pages = [sweep_page(runs, sweep, part, f"{stem}-{slug(part.dataset)}") for part in parts]
            yield Shown(
                pages={page.label: page for page in pages},
                numbers={stem: sweep_frame(runs, sweep)},
                figures={stem: partial(draw_sweep, runs, sweep, results.looks)} if parts else {},
            )
