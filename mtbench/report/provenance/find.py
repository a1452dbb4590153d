"""The table that a number is in, found by the names of its dataset, training protocol, method and column."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mtbench.errors import UsageError, did_you_mean, shortlist
from mtbench.report.data.choices import ALL, RankFamily
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Results
from mtbench.report.prose.names import table_name
from mtbench.report.provenance.origin import Origin, known_columns, known_methods, origin

__all__ = ["find_origin"]


_GAINS = "delta"
"""The beginning of the names of columns that are relative to single-task networks."""
_LACKING = "It needs finished runs of single-task networks: add single to the methods."


def find_origin(reports: Sequence[Results], dataset: str, method: str, column: str, protocol: str = "") -> Origin:
    """Return the origin of a number of one of some reports.

    A column that the table lacks is looked for among ranks and all metrics, which `mtbench report` shows on
    request.

    Args:
        reports: the results of each report.
        dataset: the dataset as on the command line; or the name of a table as in macros, ``mmnist3, quick``.
        method: the method, as on the command line, in a suite's file or in the table; or the constant prediction.
        column: the name of the column, as in macros.
        protocol: the title of the training protocol; empty for that of the only table, or the only one that is no
            preview.

    Raises:
        UsageError: there is no such table, method or column, or there are several tables.
    """
    results, comparison = _table(reports, dataset, protocol)
    name = table_name(comparison)
    methods = known_methods(results, comparison)
    if method not in methods:
        raise UsageError(
            f"there is no method '{method}' in table '{name}'.",
            mend=did_you_mean(method, methods),
            allowed=f"Methods there: {shortlist(_distinct(methods))}.",
        )
    for shown in (results, _with_ranks(results), _with_all(results)):
        if column in known_columns(shown, comparison):
            return origin(shown, comparison, method, column)
    columns = known_columns(_with_all(results), comparison)
    has_gains = any(each.startswith(_GAINS) for each in columns)
    raise UsageError(
        f"there is no column '{column}' in table '{name}'.",
        mend=_LACKING if column.startswith(_GAINS) and not has_gains else did_you_mean(column, columns),
        allowed=f"Columns there: {shortlist(columns)}.",
    )


def _with_ranks(results: Results) -> Results:
    family = results.choices.rank_intervals or RankFamily()
    return replace(results, choices=replace(results.choices, rank=True, rank_intervals=family))


def _with_all(results: Results) -> Results:
    ranked = _with_ranks(results)
    return replace(ranked, choices=replace(ranked.choices, metrics=(ALL,)))


def _table(reports: Sequence[Results], dataset: str, protocol: str) -> tuple[Results, Comparison]:
    there = [(results, comparison) for results in reports for comparison in results.comparisons]
    found = [pair for pair in there if dataset in _datasets(pair[1])]
    if not found:
        by_name = [pair for pair in there if dataset == table_name(pair[1])]
        if len(by_name) == 1 and protocol in ("", by_name[0][1].title):
            return by_name[0]
        known = list(dict.fromkeys(comparison.dataset_title for _, comparison in there))
        raise UsageError(
            f"there is no table of dataset '{dataset}'.",
            mend=did_you_mean(dataset, known),
            allowed=f"Datasets with a table: {shortlist(known)}.",
        )
    if protocol:
        chosen = [pair for pair in found if protocol == pair[1].title]
    else:
        chosen = found if len(found) == 1 else [pair for pair in found if not pair[1].quick]
    if len(chosen) == 1:
        return chosen[0]
    titles = [comparison.title for _, comparison in found]
    raise UsageError(
        f"there {'is no table' if protocol else f'are {len(found)} tables'} of dataset '{dataset}'"
        f"{f' under protocol {protocol!r}' if protocol else ''}.",
        mend=did_you_mean(protocol, titles) if protocol else "Name one with --protocol.",
        allowed=f"Protocols there: {'; '.join(titles)}.",
    )


def _datasets(comparison: Comparison) -> Iterator[str]:
    """Yield the names of a comparison's dataset: as on the command line, and as pages show it."""
    yield comparison.dataset
    yield comparison.dataset_title
    yield from {run.spec.titles.dataset for method in comparison.methods for run in method.runs}


def _distinct(methods: dict[str, int | None]) -> list[str]:
    """Return the first name of each place."""
    return list({place: name for name, place in reversed(methods.items())}.values())[::-1]
