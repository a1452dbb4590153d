"""The pages of a suite's report, in the order in which they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.studies import StudyRuns
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.adding.page import adding_exhibits
from mtbench.report.exhibits.beside import pages_beside
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.exhibits.claims.page import claims_page
from mtbench.report.exhibits.conventions.page import convention_exhibits
from mtbench.report.exhibits.equal_loss.page import equal_losses
from mtbench.report.exhibits.exhibit import Exhibit
from mtbench.report.exhibits.matched.page import matched_exhibits
from mtbench.report.exhibits.pairs.published import relation_pages
from mtbench.report.exhibits.published.page import published_page
from mtbench.report.exhibits.published.tuned import tuned_paper_page
from mtbench.report.exhibits.scaling.page import scaling_exhibits
from mtbench.report.exhibits.searches import StudyExhibit, study_exhibits
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.sweep.page import sweep_exhibits
from mtbench.report.page.layout import Page
from mtbench.report.text import slug

__all__ = ["exhibits", "sheet_page", "suite_pages", "suite_study_exhibits"]

_EXHIBITS = {
    "sweep": sweep_exhibits,
    "tasks": scaling_exhibits,
    "adding": adding_exhibits,
    "matched": matched_exhibits,
    "conventions": convention_exhibits,
}


def suite_pages(runs: SuiteRuns, judged: Sequence[Judged], choices: Choices = DEFAULT) -> Iterator[Page]:
    """Each table and beside it what was published; what searches found; what the suite's figures show, in words; then
    the claims."""
    for sheet in runs.sheets:
        yield sheet_page(runs, sheet, choices)
        for _, page in pages_beside(sheet.comparison, choices):
            yield page
        if published := published_page(runs, sheet):
            yield published
        yield from relation_pages(runs, sheet)
        if tuned := tuned_paper_page(runs, sheet):
            yield tuned
    for at_loss in equal_losses([sheet.comparison for sheet in runs.sheets]):
        yield at_loss.page
    for found in suite_study_exhibits(runs):
        yield found.page
    for exhibit in exhibits(runs):
        yield from exhibit.pages
    if judged:
        yield claims_page(runs, judged)


def suite_study_exhibits(runs: SuiteRuns) -> list[StudyExhibit]:
    """Return the exhibits of what the suite's searches found."""
    comparisons = [sheet.comparison for sheet in runs.sheets]
    named = ((found.study.titles.dataset, found) for found in runs.studies)
    groups: dict[str, list[StudyRuns]] = {}
    for dataset, found in named:
        groups.setdefault(dataset, []).append(found)
    return [
        exhibit
        for dataset, studies in groups.items()
        for exhibit in study_exhibits(studies, comparisons, f"{runs.slug}-{slug(dataset)}")
    ]


def exhibits(runs: SuiteRuns) -> list[Exhibit]:
    """Return the exhibits of its grid that the suite asks to be drawn."""
    return [exhibit for kind in runs.suite.figures if kind in _EXHIBITS for exhibit in _EXHIBITS[kind](runs)]


def sheet_page(runs: SuiteRuns, sheet: Sheet, choices: Choices = DEFAULT) -> Page:
    """The summary table of a sheet, with what the suite says of itself."""
    page = page_of(build_table(sheet.comparison, choices))
    suite = runs.suite
    called = [f"{suite.labels[name]} is {name}" for name in sheet.methods if suite.labels.get(name, name) != name]
    said = [f"Suite {suite.name}: {suite.title}.", *([f"After {suite.source}."] if suite.source else [])]
    notes = [*([f"Rows: {'; '.join(called)}."] if called else []), *([suite.note] if suite.note else [])]
    notes += [runs.changed] if runs.changed else []
    return replace(
        page,
        title=f"{suite.name}: {page.title}",
        label=runs.stem(sheet),
        caption=page.caption,
        details=(*said, *page.details),
        footnotes=(*notes, *page.footnotes),
    )
