"""Exhibits of pairs of tasks: distances of modulation vectors, and published numbers beside ours."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.pairs.distances import distances_page
from mtbench.report.exhibits.pairs.published import relation_pages

__all__ = ["Distances", "Relations"]


class Distances(Exhibit):
    """Distances between the vectors by which tasks modulate a network."""

    order = 40

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            if page := distances_page(comparison, results.choices_of(comparison)):
                yield Shown(pages={f"{results.stem(comparison)}-distances": page}, beside=comparison)


class Relations(Exhibit):
    """Published numbers of pairs of tasks beside ours."""

    scope = "suite"
    order = 70

    def show(self, results: Results) -> Iterator[Shown]:
        assert results.suite
        for sheet in results.suite.sheets:
            for page in relation_pages(results.suite, sheet):
                yield Shown(pages={page.label: page}, beside=sheet.comparison)
