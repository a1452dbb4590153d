"""The tables of some results: those that `mtbench report` writes, and `mtbench why` explains."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtbench.door.contents import Contents
from mtbench.errors import StoreError, UsageError
from mtbench.report.data.choices import Choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.conventions.convert import Asked, converted, converted_suite
from mtbench.report.data.studies import StudyRuns, in_tables
from mtbench.report.exhibit import Results

if TYPE_CHECKING:  # suites are planned with plug-ins, which import torch, and most reports are of no suite
    from mtbench.report.data.suite.runs import SuiteRuns
    from mtbench.store.suites.declaration import Declaration

__all__ = ["results_of"]


def results_of(
    found: Contents, *, suite: str, convention: str, asked: Asked, choices: Choices
) -> tuple[list[Results], list[str]]:
    """Return what each report of some runs is made of, and sentences on runs that are in none of their tables.

    Args:
        found: the runs and searches.
        suite, convention: see `mtbench.report`.
        asked: the wishes for Δm.
        choices: the choices for summary tables.

    Returns:
        one report; of a suite one for each size that was run.

    Raises:
        UsageError: there is no such suite or convention, or there are no runs of it.
    """
    if suite:
        return _of_suite(suite, found, asked, choices, convention), []
    if convention:
        comparisons, left_out = converted(compare(found.shown), convention, asked)
        results = Results(comparisons=tuple(comparisons), choices=choices, convention=convention)
        return [results], [left_out] if left_out else []
    shown, sentences = in_tables(found.runs, found.studies)
    return [Results(comparisons=tuple(compare(shown)), studies=tuple(found.studies), choices=choices)], sentences


def _of_suite(name: str, found: Contents, asked: Asked, choices: Choices, convention: str) -> list[Results]:
    in_tables_here = {run.spec.titles.method for run in in_tables(found.runs, found.studies)[0]}
    in_folder = (*sorted(in_tables_here), *(study.title for study in found.studies))
    return [
        Results.of_suite(
            converted_suite(runs, convention, asked), choices=choices, convention=convention, in_folder=in_folder
        )
        if convention
        else Results.of_suite(runs, found.root, choices, in_folder=in_folder)
        for runs in _suite_runs(name, found, () if convention else found.studies)
    ]


def _suite_runs(name: str, found: Contents, studies: Sequence[StudyRuns]) -> "list[SuiteRuns]":
    """Return the runs that belong to a suite, by size.

    Raises:
        UsageError: there is no such suite, or there are no runs of it.
    """
    from mtbench.plan.suite.file import find_suite
    from mtbench.report.data.suite.runs import suite_runs

    suite = find_suite(name)
    belonging = suite_runs(suite, found.shown, studies, _declaration(found, suite.name), found.looks, found.resolutions)
    if not belonging:
        raise UsageError(
            f"none of the runs there belongs to suite '{name}'.",
            mend=f"Train some: mtbench run --suite {shlex.quote(name)} --quick; or name the folder that they are in.",
        )
    return belonging


def _declaration(found: Contents, suite: str) -> "Declaration | None":
    """Return the earliest declaration of a suite in some results folders, so that every change since then shows."""
    from mtbench.store.suites.declaration import read_declaration

    there = []
    for folder in found.folders:
        try:
            there.append(read_declaration(folder, suite))
        except StoreError as cause:
            found.unread.append(str(cause))
    return min(filter(None, there), key=lambda declaration: declaration.at, default=None)
