"""The reports that were asked for, of runs that were read."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbench.door.contents import Contents
from mtbench.errors import StoreError, UsageError
from mtbench.report.assemble import Report, assemble, make_report
from mtbench.report.data.choices import Choices, parse_choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.conventions.convert import Asked, converted, converted_suite
from mtbench.report.data.paper import PaperStyle
from mtbench.report.data.studies import StudyRuns, in_tables
from mtbench.report.exhibit import Results

if TYPE_CHECKING:  # suites are planned with plug-ins, which import torch, and most reports are of no suite
    from mtbench.report.data.suite.runs import SuiteRuns
    from mtbench.store.declaration import Declaration

__all__ = ["Made", "make_reports"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A report, and lines on what it leaves out.

    Attributes:
        report: the report.
        left_out: sentences on runs and searches that are not in it.
        changed: a sentence on changes of the suite since it was declared; empty without any.
    """

    report: Report
    left_out: tuple[str, ...] = ()
    changed: str = ""


def make_reports(
    found: Contents,
    *,
    suite: str,
    metrics: str,
    asked: Asked,
    convention: str,
    rank: bool,
    rank_intervals: str,
    paper: PaperStyle | None = None,
) -> list[Made]:
    """Return the reports of runs: one, or of a suite one for each size of it that was run.

    Args:
        found: the runs and searches.
        asked: the wishes for Δm.
        suite, metrics, convention, rank, rank_intervals: see `mtbench.report`; metrics are separated by commas.
        paper: the form of tables for a paper, if any.

    Raises:
        UsageError, StoreError: see `mtbench.report`.
    """
    tasks = [task for run in found.runs if run.record for task in run.record.tasks]
    choices = parse_choices(
        metrics,
        asked.delta,
        tasks,
        rank=rank or _is_ranked(paper),
        rank_intervals=rank_intervals,
        paper=paper,
    )
    if suite:
        return list(_of_suite(suite, found, asked, choices, convention))
    if convention:
        comparisons, left_out = converted(compare(found.shown), convention, asked)
        report = assemble(Results(comparisons=tuple(comparisons), choices=choices, convention=convention))
        return [Made(report=report, left_out=(left_out,) * bool(left_out))]
    shown, lines = in_tables(found.runs, found.studies)
    return [Made(report=make_report(shown, found.studies, choices), left_out=tuple(lines))]


def _is_ranked(paper: PaperStyle | None) -> bool:
    return paper is not None and "rank" in (*paper.columns, paper.sort)


def _of_suite(name: str, found: Contents, asked: Asked, choices: Choices, convention: str) -> Iterator[Made]:
    """Yield the report of each size of a suite that was run."""
    in_folder = tuple(sorted({run.spec.titles.method for run in in_tables(found.runs, found.studies)[0]}))
    for runs in _suite_runs(name, found, () if convention else found.studies):
        of_suite = (
            Results.of_suite(
                converted_suite(runs, convention, asked), choices=choices, convention=convention, others=in_folder
            )
            if convention
            else Results.of_suite(runs, found.root, choices, others=in_folder)
        )
        absent = f"Not run at this size: {'; '.join(runs.absent)}."
        yield Made(
            report=assemble(of_suite),
            left_out=(absent,) if runs.absent and not convention else (),
            changed="" if convention else runs.changed,
        )


def _suite_runs(name: str, found: Contents, studies: Sequence[StudyRuns]) -> "list[SuiteRuns]":
    """Return the runs that belong to a suite, by size.

    Raises:
        UsageError: there is no such suite, or there are no runs of it.
    """
    from mtbench.plan.suite.file import find_suite
    from mtbench.report.data.suite.runs import suite_runs

    suite = find_suite(name)
    belonging = suite_runs(suite, found.shown, studies, _declaration(found, suite.name))
    if not belonging:
        raise UsageError(
            f"none of the runs there belongs to suite '{name}'.",
            mend=f"Train some: mtbench run --suite {shlex.quote(name)} --quick; or name their folder: "
            "mtbench report DIR.",
        )
    return belonging


def _declaration(found: Contents, suite: str) -> "Declaration | None":
    """Return the earliest declaration of a suite in some results folders, so that every change since then shows."""
    from mtbench.store.declaration import read_declaration

    there = []
    for folder in found.folders:
        try:
            there.append(read_declaration(folder, suite))
        except StoreError as cause:
            found.unread.append(str(cause))
    return min(filter(None, there), key=lambda declaration: declaration.at, default=None)
