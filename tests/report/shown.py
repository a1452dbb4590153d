"""Pieces that exhibits show of made-up results."""

from collections.abc import Mapping
from typing import TypeVar

from matplotlib.figure import Figure

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.page.layout import Page

__all__ = ["figure_of", "only", "pages_of", "shown_beside", "shown_of"]

T = TypeVar("T")


def shown_of(exhibit: type[Exhibit], runs: SuiteRuns) -> list[Shown]:
    """Return the pieces of one exhibit of a suite."""
    return list(exhibit().show(Results.of_suite(runs)))


def shown_beside(exhibit: type[Exhibit], comparison: Comparison, choices: Choices = DEFAULT) -> dict[str, Page]:
    """Return the pages of one exhibit beside a comparison, by the ends of the names of their files."""
    pieces = exhibit().show(Results(comparisons=(comparison,), choices=choices))
    return {stem.rpartition("-")[2]: page for piece in pieces for stem, page in piece.pages.items()}


def pages_of(piece: Shown) -> list[Page]:
    """Return the pages of a piece in their order."""
    return list(piece.pages.values())


def only(parts: Mapping[str, T]) -> T:
    """Return the only one of a piece's frames or figures."""
    (part,) = parts.values()
    return part


def figure_of(piece: Shown) -> Figure:
    """Return the only figure of a piece."""
    figure = only(piece.figures)()
    assert isinstance(figure, Figure)
    return figure
