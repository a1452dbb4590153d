"""A paper's numbers beside ours with tuned settings, where a suite's searches chose some."""

from dataclasses import replace

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.cost.budget import unequal
from mtbench.report.data.studies import home
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.published.page import published_page
from mtbench.report.exhibits.tuned.data import Tuned, tuned_methods
from mtbench.report.page.layout import Page
from mtbench.report.text import listed

__all__ = ["tuned_paper_page"]


def tuned_paper_page(runs: SuiteRuns, sheet: Sheet) -> Page | None:
    """Return the `published_page` of the settings that searches chose; None if nothing was published or chosen.

    Methods that were not searched, or whose choice was not retrained yet, have no number of ours there; nor has any
    method if the budgets of the searches are unequal.
    """
    tuned = _tuned(runs, sheet)
    if not tuned or sheet.paper is None:
        return None
    refused = unequal({title: each.study.study for title, each in tuned.items()})
    shown = {} if refused else tuned
    rows = [
        (name, MethodRuns(title=method.title, runs=shown[method.title].study.tuned))
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True)
        if method.title in shown
    ]
    comparison = replace(sheet.comparison, methods=tuple(method for _, method in rows), tuned=True)
    page = published_page(runs, replace(sheet, comparison=comparison, methods=tuple(name for name, _ in rows)))
    if page is None:
        return None
    settings = listed(f"{title} {each.setting}" for title, each in tuned.items())
    others = [method.title for method in sheet.comparison.methods if method.title not in tuned]
    rest = f" Not tuned: {listed(others)}." if others else ""
    no = f"No numbers of ours, for the budgets of the searches are unequal: {refused}."
    return replace(
        page,
        title=f"{page.title}, tuned",
        label=f"{page.label}-tuned",
        caption=(*page.caption, "Ours: with tuned settings."),
        details=(*page.details, f"Settings chosen on the validation split: {settings}.{rest}"),
        footnotes=(*([no] if refused else []), *page.footnotes),
    )


def _tuned(runs: SuiteRuns, sheet: Sheet) -> dict[str, Tuned]:
    """Return by title the methods of the sheet that were retrained at what was chosen for them."""
    titles = {method.title for method in sheet.comparison.methods}
    studies = [
        found
        for found in runs.studies
        if found.study.objective == "mean" and home(found, [sheet.comparison]) is sheet.comparison
    ]
    return {each.title: each for each in tuned_methods(studies) if each.title in titles and each.study.tuned}
