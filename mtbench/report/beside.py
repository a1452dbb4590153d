"""Pages that stand beside the summary table of a comparison, where its runs have what they show."""

from collections.abc import Iterator

from mtbench.report.choices import DEFAULT, Choices
from mtbench.report.comparison import Comparison
from mtbench.report.distances import distances_page
from mtbench.report.known import known_page
from mtbench.report.layout import Page
from mtbench.report.pointing import pointing_pages
from mtbench.report.ranked import ranked_page
from mtbench.report.unequal import unequal_page

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
