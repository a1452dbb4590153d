"""Names of the files of searches."""

from mtbench.report.data.comparison import Comparison
from mtbench.report.data.studies import StudyRuns
from mtbench.report.exhibit import Results
from mtbench.report.text import slug

__all__ = ["distinct", "start_of"]


def start_of(results: Results, found: StudyRuns, comparison: Comparison) -> str:
    """Return the beginning of the names of a search's files: the suite's with the dataset, or without a suite the
    comparison's."""
    if results.suite:
        return f"{results.suite.slug}-{slug(found.study.titles.dataset)}"
    return f"{comparison.folder}-{comparison.slug}"


def distinct(name: str, taken: set[str]) -> str:
    """Return a name with a number behind it if it is taken, and add it to those that are."""
    found, count = name, 2
    while found in taken:
        found, count = f"{name}-{count}", count + 1
    taken.add(found)
    return found
