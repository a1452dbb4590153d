"""The files of a paper's summary table."""

from collections.abc import Mapping
from dataclasses import replace

from mtbench.report.data.comparison import Comparison
from mtbench.report.data.paper import PaperStyle
from mtbench.report.exhibit import Results
from mtbench.report.page.layout import Page
from mtbench.report.paper.latex import details_tex, table_tex
from mtbench.report.paper.page import paper_page
from mtbench.report.paper.references import references_of
from mtbench.report.paper.table import paper_table

__all__ = ["paper_shown"]


def paper_shown(
    results: Results, comparison: Comparison, style: PaperStyle, usual: Page, stem: str
) -> tuple[Page, Mapping[str, str]]:
    """Return the table of a comparison as a paper shows it: the page, and LaTeX by name of the file.

    Args:
        results, comparison: see `Results.table`.
        style: the choices of the reader.
        usual: the page of the usual table.
        stem: the beginning of the names of files.

    Raises:
        UsageError: there is no room for the columns that were chosen.
    """
    shown = paper_table(results, comparison, style)
    usual = replace(usual, label=stem)
    page = paper_page(usual, results.table(comparison), shown)
    references = references_of(comparison.methods)
    names = [(line.title, line.name) for line in shown.lines if line.title]
    return page, {
        f"{stem}-table.tex": table_tex(shown, page, references, wide=style.wide),
        f"{stem}-details.tex": details_tex(replace(usual, footnotes=page.footnotes), names, references),
    }
