"""One number of a summary table, traced back to its runs."""

from mtbench.door.contents import Contents
from mtbench.door.reports.tables import results_of
from mtbench.report.data.choices import Choices
from mtbench.report.data.conventions.convert import Asked
from mtbench.report.provenance.find import find_origin
from mtbench.report.provenance.origin import Origin

__all__ = ["why"]


def why(
    found: Contents,
    dataset: str,
    method: str,
    column: str,
    *,
    protocol: str = "",
    suite: str = "",
    convention: str = "",
    asked: Asked,
) -> Origin:
    """Return the origin of a number that `mtbench.report` would show of some runs.

    Args:
        found: the runs and searches.
        dataset, method, column, protocol: the names of the number, see
            `mtbench.report.provenance.find.find_origin`.
        suite, convention: see `mtbench.report`.
        asked: the wishes for Δm.

    Raises:
        UsageError: there is no such number, suite or convention.
    """
    choices = Choices(delta=asked.delta)
    reports, _ = results_of(found, suite=suite, convention=convention, asked=asked, choices=choices)
    return find_origin(reports, dataset, method, column, protocol)
