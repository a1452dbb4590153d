"""The exhibit of diagnostics: conflict of gradients and task selectivity."""

from collections.abc import Iterator
from functools import partial

from mtbench.report.exhibit import Draw, Exhibit, Results, Shown
from mtbench.report.exhibits.diagnostics.compliance import draw_compliance
from mtbench.report.exhibits.diagnostics.data import conflict_frame, selectivity_frame
from mtbench.report.exhibits.diagnostics.equal_loss import equal_losses
from mtbench.report.exhibits.diagnostics.matrices import draw_conflict, draw_selectivity
from mtbench.report.exhibits.diagnostics.pairs import draw_pairs

__all__ = ["Diagnostics"]


class Diagnostics(Exhibit):
    """Conflict of the tasks' gradients, also at equal training loss, and selectivity of features."""

    order = 90

    def show(self, results: Results) -> Iterator[Shown]:
        conflict = [conflict_frame(comparison) for comparison in results.comparisons]
        for comparison, frame in zip(results.comparisons, conflict, strict=True):
            if not results.is_drawn(comparison):
                continue
            stem, selectivity = results.stem(comparison), selectivity_frame(comparison)
            frames = {"conflict": frame, "selectivity": selectivity}
            figures: dict[str, Draw] = {}
            if not frame.empty:
                for name, draw in (("compliance", draw_compliance), ("pairs", draw_pairs)):
                    figures[f"{stem}-{name}"] = partial(draw, comparison, frame, results.looks)
                figures[f"{stem}-conflict"] = partial(draw_conflict, comparison, frame)
            if not selectivity.empty:
                figures[f"{stem}-selectivity"] = partial(draw_selectivity, comparison, selectivity)
            numbers = {f"{stem}-{name}": each for name, each in frames.items() if not each.empty}
            yield Shown(numbers=numbers, figures=figures, beside=comparison)
        for found in equal_losses(results.comparisons, conflict):
            label = found.page.label
            stem = f"{results.suite.slug}-{label}" if results.suite else label
            yield Shown(pages={stem: found.page}, numbers={stem: found.frame}, folder=found.home.folder)
