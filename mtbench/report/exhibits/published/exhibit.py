"""Exhibits of a paper's numbers beside ours."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.published.page import published_frame, published_page
from mtbench.report.exhibits.published.tuned import tuned_paper_page

__all__ = ["Published", "TunedPublished"]


class Published(Exhibit):
    """A paper's numbers beside ours, and the differences."""

    scope = "suite"
    order = 60
    by_convention = True

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        for sheet in runs.sheets:
            if page := published_page(runs, sheet):
                yield Shown(pages={f"{results.stem(sheet.comparison)}-paper": page}, beside=sheet.comparison)
        if not results.convention and not (frame := published_frame(runs)).empty:
            yield Shown(numbers={f"{runs.slug}-paper": frame})


class TunedPublished(Exhibit):
    """A paper's numbers beside ours at the settings that searches chose."""

    scope = "suite"
    order = 80

    def show(self, results: Results) -> Iterator[Shown]:
        assert results.suite
        for sheet in results.suite.sheets:
            if page := tuned_paper_page(results.suite, sheet):
                yield Shown(pages={page.label: page}, beside=sheet.comparison)
