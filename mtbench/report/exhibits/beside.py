"""Pages that stand beside the summary table of a comparison, where its runs have what they show."""

from collections.abc import Iterator

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.classes.known import known_page
from mtbench.report.exhibits.classes.unequal import unequal_page
from mtbench.report.exhibits.pairs.distances import distances_page
from mtbench.report.exhibits.pointing.page import pointing_pages
from mtbench.report.exhibits.retrieval.page import ranked_page
from mtbench.report.page.layout import Page

__all__ = ["pages_beside"]


def pages_beside(comparison: Comparison, choices: Choices = DEFAULT) -> Iterator[tuple[str, Page]]:
    """Yield pages with the ends of the names of their files: unequal classes, known classes, mean average
    precision, distances of modulation vectors, pointing and outcomes."""
    pages = {"unequal": unequal_page, "known": known_page, "ranked": ranked_page, "distances": distances_page}
    for name, build in pages.items():
        if page := build(comparison, choices):
            yield name, page
    for page in pointing_pages(comparison):
        yield page.label.rpartition("-")[2], page
