"""Words on the runs of a suite: the names of methods, titles of figures, and sentences on numbers."""

from collections.abc import Iterable, Mapping

from mtbench.plan.suite import Suite
from mtbench.report import marks
from mtbench.report.data.columns import Column
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.figure.style import Look
from mtbench.report.page.sentences import ADDED, QUICK, STALE, reported
from mtbench.report.text import wrap

__all__ = ["called", "heading", "known_by_name", "measured", "quantity", "warnings"]


def called(suite: Suite, sheets: Iterable[Sheet]) -> dict[str, str]:
    """Return what the methods of sheets are called in reports, by the suite's names and in its order; with a dagger if
    a run is stale, and a triangle if seeds were added after a look."""
    titles, stale, grown = dict[str, str](), set[str](), set[str]()
    order = [method for part in suite.grid for method in part.methods]
    for sheet in sheets:
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True):
            titles.setdefault(name, method.title)
            stale |= {name} if method.stale else set()
            grown |= {name} if method.grown else set()
    known = [name for name in dict.fromkeys(order) if name in titles]
    return {
        name: titles[name] + marks.STALE * (name in stale) + marks.GROWN * (name in grown)
        for name in dict.fromkeys([*known, *titles])
    }


def known_by_name(titles: Mapping[str, str], known: Mapping[str, Look]) -> dict[str, Look]:
    """Return known looks by the suite's names of methods instead of by titles.

    Args:
        titles: the names from `called`.
        known: looks by title, see `mtbench.report.exhibit.Results.looks`.
    """
    bare = {name: title.rstrip(marks.STALE + marks.GROWN) for name, title in titles.items()}
    return {name: known[title] for name, title in bare.items() if title in known}


def warnings(titles: Iterable[str]) -> tuple[str, ...]:
    """Return the meanings of the marks behind titles."""
    behind = "".join(title[len(title.rstrip(marks.STALE + marks.GROWN)) :] for title in titles)
    return tuple(said for mark, said in ((marks.STALE, STALE), (marks.GROWN, ADDED)) if mark in behind)


def heading(runs: SuiteRuns, of: str = "") -> str:
    """Return the title of a figure: the suite's title, name and size, `of`, and a line that marks a preview."""
    title = wrap(f"{runs.suite.title} ({runs.title}){of}", 90)
    return f"{title}\n{QUICK}" if runs.quick else title


def quantity(column: Column) -> str:
    """Say what an axis shows: ``test accuracy (%)``; where lower is better it says so."""
    unit = f" ({column.unit})" if column.unit else ""
    return f"test {column.metric}{unit}{'' if column.higher_is_better else ', lower is better'}"


def measured(column: Column, sheets: Iterable[Sheet]) -> str:
    """Return a sentence on the numbers of a column of these sheets."""
    unit = f" in {column.unit}" if column.unit else ""
    direction = "higher" if column.higher_is_better else "lower"
    over = ", the mean over tasks within each run" if column.is_mean else ""
    when = reported(sheet.comparison.protocol for sheet in sheets)
    return f"Test {column.metric}{unit}, {direction} is better{over}, {when}."
