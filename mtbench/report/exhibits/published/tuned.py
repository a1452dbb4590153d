"""A paper's numbers beside ours with tuned settings, where a suite's searches chose some."""

from dataclasses import replace

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.studies import home
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.published.page import published_page
from mtbench.report.exhibits.tuned.data import Tuned, tuned_methods
from mtbench.report.page.layout import Page
from mtbench.report.text import listed

__all__ = ["tuned_paper_page"]


def tuned_paper_page(runs: SuiteRuns, sheet: Sheet) -> Page | None:
    """Return the `published_page` of the settings that searches chose; None if nothing was published or chosen.

    Methods that were not searched, or whose choice was not retrained yet, are as in the suite's table.
    """
    tuned = _tuned(runs, sheet)
    if not tuned or sheet.paper is None:
        return None
    comparison = replace(
        sheet.comparison,
        methods=tuple(_chosen(method, tuned.get(method.title)) for method in sheet.comparison.methods),
    )
    page = published_page(runs, replace(sheet, comparison=comparison))
    if page is None:
        return None
    settings = listed(f"{title} {each.setting}" for title, each in tuned.items())
    others = [method.title for method in sheet.comparison.methods if method.title not in tuned]
    rest = f" With default settings: {listed(others)}." if others else ""
    return replace(
        page,
        title=f"{page.title}, tuned",
        label=f"{page.label}-tuned",
        caption=(*page.caption, "Ours: with tuned settings."),
        details=(*page.details, f"Settings chosen on the validation split: {settings}.{rest}"),
    )


def _tuned(runs: SuiteRuns, sheet: Sheet) -> dict[str, Tuned]:
    """Return by title the methods of the sheet that were retrained at what was chosen for them."""
    titles = {method.title for method in sheet.comparison.methods}
    studies = [
        found
        for found in runs.studies
        if found.study.objective == "mean" and home(found, [sheet.comparison]) is sheet.comparison
    ]
    return {
        each.title: each
        for each in tuned_methods(studies)
        if each.title in titles and each.chosen is not None and each.study.again.get(each.chosen)
    }


def _chosen(method: MethodRuns, tuned: Tuned | None) -> MethodRuns:
    if tuned is None or tuned.chosen is None:
        return method
    return replace(method, runs=tuned.study.again[tuned.chosen])
