"""The pages of a suite's report, in the order in which they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mtbench.report.claims import Judged, claims_page
from mtbench.report.layout import Page, page_of
from mtbench.report.published import published_page
from mtbench.report.suite import Sheet, SuiteRuns
from mtbench.report.table import build_table

__all__ = ["sheet_page", "suite_pages"]


def suite_pages(runs: SuiteRuns, judged: Sequence[Judged]) -> Iterator[Page]:
    """Each table and beside it what was published; then the claims."""
    for sheet in runs.sheets:
        yield sheet_page(runs, sheet)
        if published := published_page(runs, sheet):
            yield published
    if judged:
        yield claims_page(runs, judged)


def sheet_page(runs: SuiteRuns, sheet: Sheet) -> Page:
    """The summary table of a sheet, with what the suite says of itself."""
    page = page_of(build_table(sheet.comparison))
    suite = runs.suite
    called = [f"{suite.labels[name]} is {name}" for name in sheet.methods if suite.labels.get(name, name) != name]
    said = [f"Suite {suite.name}: {suite.title}.", *([f"After {suite.source}."] if suite.source else [])]
    notes = [*([f"Rows: {'; '.join(called)}."] if called else []), *([suite.note] if suite.note else [])]
    return replace(
        page,
        title=f"{suite.name}: {page.title}",
        label=f"{runs.slug}-{sheet.comparison.folder}",
        caption=(*said, *page.caption),
        footnotes=(*notes, *page.footnotes),
    )
