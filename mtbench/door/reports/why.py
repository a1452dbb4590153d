"""One number of a summary table, traced back to its runs."""

from typing import Any

from mtbench.door.contents import Contents, read_and_warn
from mtbench.door.given import Folder, Folders
from mtbench.door.reports.tables import results_of
from mtbench.report.data.choices import Choices
from mtbench.report.data.conventions.convert import Asked
from mtbench.report.provenance.find import find_origin
from mtbench.report.provenance.origin import Origin

__all__ = ["origin_of", "why"]


def why(
    results: Folders,
    dataset: str,
    method: str,
    column: str,
    *,
    protocol: str = "",
    suite: str = "",
    convention: str = "",
    delta: str = "",
    delta_sign: str = "",
    delta_base: str = "",
    data_root: Folder | None = None,
) -> dict[str, Any]:
    """Return the runs behind one number of a summary table, and how it was made of them.

    Args:
        results: a results folder or a pack, or several.
        dataset: the dataset of the table, or the name of the table in numbers.tex, such as ``mmnist3, quick``.
        method: the method as on the command line or in the table; or the constant prediction, such as ``majority
            class``.
        column: a task, ``mean``, ``delta-m``, ``delta-err``, ``rank``, ``rank-interval``, ``n``, ``params``, ``macs``,
            ``labels``, ``time`` or ``memory``; or a task and a metric, such as ``depth relative-error``.
        protocol: title of the training protocol, such as ``quick``; needed where the dataset has several tables.
        suite: the suite of the table, see `mtbench.report`.
        convention: the published convention of the table, likewise.
        delta: the average in Δm, likewise.
        delta_sign: the sign of Δm, likewise.
        delta_base: the divisor of Δm, likewise.
        data_root: see `mtbench.load`.

    Returns:
        the content of ``mtbench why --json``, with None for what is not known: the number as in the table (``cell``)
        and with every digit (``value``), its making in words (``made``), its ``marks`` with their meanings, the
        ``runs`` with the value, state and trust level of each, their ``code``, and the ``commands`` that make them
        again.

    Raises:
        UsageError: there is no such number, suite or convention.
        StoreError: a folder cannot be read, or one run has two different records.

    Example:
        >>> found = mtbench.why("results/local", "toy2", "moo", "mean")
        >>> found["n"], [(run["method"], run["seed"], run["state"]) for run in found["runs"]]
        (2, [('moo', 0, 'fresh'), ('moo', 1, 'fresh')])
    """
    asked = Asked(average=delta, sign=delta_sign, base=delta_base)
    found = read_and_warn(results, data_root)
    return origin_of(
        found, dataset, method, column, protocol=protocol, suite=suite, convention=convention, asked=asked
    ).plain()


def origin_of(
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
