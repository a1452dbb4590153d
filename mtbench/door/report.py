"""Tables and figures of results."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from mtbench.door.contents import Contents, read_contents
from mtbench.door.given import DEFAULT_RESULTS, Folder, Folders, folders, names
from mtbench.engines.say import capped, open_console, say
from mtbench.errors import StoreError, UsageError
from mtbench.report.assemble import Report, assemble, make_report, write_reports
from mtbench.report.data.choices import Choices, parse_choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.conventions.convert import Asked, converted, converted_suite
from mtbench.report.data.paper import PaperStyle, parse_style
from mtbench.report.data.studies import StudyRuns, in_tables
from mtbench.report.exhibit import Results

if TYPE_CHECKING:  # suites are planned with plug-ins, which import torch, and most reports are of no suite
    from mtbench.report.data.suite.runs import SuiteRuns
    from mtbench.store.declaration import Declaration

__all__ = ["print_report", "report"]


def report(
    results: Folders = DEFAULT_RESULTS,
    *,
    out: Folder | None = None,
    dataset: str | Iterable[str] = (),
    suite: str = "",
    metrics: str | Iterable[str] = (),
    delta: str = "",
    delta_sign: str = "",
    delta_base: str = "",
    convention: str = "",
    rank: bool = False,
    rank_intervals: str = "",
    style: str = "",
    columns: str | Iterable[str] = (),
    digits: int | None = None,
    sort: str = "",
    wide: bool = False,
    underline_second: bool = False,
    fresh_only: bool = False,
    data_root: Folder | None = None,
    quiet: bool = False,
) -> list[Path]:
    """Print the tables of finished runs, and write them with their figures.

    Args:
        results: a results folder or a pack, or several.
        out: the folder of the files; by default ``reports/local/<dataset or suite>``.
        dataset: report these datasets alone.
        suite: report the runs of this suite: published numbers beside measured ones, and its claims, judged.
        metrics: names of the metrics in summary tables, or ``all``; by default the primary one of each task.
        delta: average in Δm: ``task`` (over the metrics of each task, then over tasks; the default), ``metric`` (over
            all metrics) or ``main`` (over the primary ones).
        delta_sign: sign of Δm: ``gain`` (higher is better; the default) or ``drop``.
        delta_base: divisor of Δm: the single-task run of the same ``seed`` (the default), or the ``mean`` of the
            single-task runs.
        convention: compute the tables by the rules of this published code.
        rank: True to show the mean rank of each method over metrics.
        rank_intervals: show the interval of each method's rank, from ``all`` pairs of methods (``letters``: and letters
            of those that are not significantly different), or from those with ``baselines`` and the best alone; by
            default none.
        style: ``report`` (everything that is known; the default) or ``paper``: one plain table in LaTeX that fits a
            column of a paper, its details for the appendix, and the references of its methods.
        columns: the columns of a paper's table, in their order: tasks, ``mean``, ``delta-m``, ``rank``, ``n``,
            ``params``, ``macs``, ``labels``, ``time``, ``memory``; by default the tasks, their mean and Δm.
        digits: decimals of metrics and gains in a paper's table; by default those of reports.
        sort: the column by which methods of a paper's table are sorted, the best first.
        wide: True for a paper's table that is as wide as a page in two columns.
        underline_second: True to underline the second best number of each column of a paper's table.
        fresh_only: True to leave stale runs out, of which code or data changed since; footnotes name them.
        data_root: see `mtbench.load`.
        quiet: True to print no tables.

    Returns:
        the files: each table as Markdown, LaTeX and CSV, each figure as PDF and PNG, the tidy frame as CSV, and
        ``index.html``, the page of everything in a folder.

    Raises:
        UsageError: there are no runs, or something that was asked for does not exist.
        StoreError: a folder cannot be read, a file cannot be written, or one run has two different records.

    Example:
        >>> files = mtbench.report("results/local", out="tables", quiet=True)
        >>> sorted({file.suffix for file in files})
        ['.csv', '.html', '.md', '.pdf', '.png', '.tex']
    """
    return print_report(
        read_contents(results, data_root, fresh_only=fresh_only).of_datasets(names(dataset)),
        open_console(quiet=quiet),
        out=None if out is None else folders(out)[0],
        suite=suite,
        metrics=",".join(names(metrics)),
        asked=Asked(average=delta, sign=delta_sign, base=delta_base),
        convention=convention,
        rank=rank,
        rank_intervals=rank_intervals,
        paper=parse_style(
            style,
            columns=",".join(names(columns)),
            digits=digits,
            sort=sort,
            wide=wide,
            underline_second=underline_second,
        ),
    )


def print_report(
    found: Contents,
    console: Console,
    *,
    out: Path | None,
    suite: str,
    metrics: str,
    asked: Asked,
    convention: str,
    rank: bool,
    rank_intervals: str,
    paper: PaperStyle | None = None,
) -> list[Path]:
    """Print the tables of runs on a console, and write them with their figures.

    Args:
        found: the runs and searches.
        asked: the wishes for Δm.
        out, suite, metrics, convention, rank, rank_intervals: see `report`; metrics are separated by commas.
        paper: the form of tables for a paper, if any.

    Returns:
        the files.

    Raises:
        UsageError, StoreError: see `report`.
    """
    tasks = [task for run in found.runs if run.record for task in run.record.tasks]
    choices = parse_choices(
        metrics,
        asked.delta,
        tasks,
        rank=rank or bool(paper and paper.uses("rank")),
        rank_intervals=rank_intervals or ("all" if paper and paper.uses("rank-interval") else ""),
        paper=paper,
    )
    if suite:
        files = _of_suite(suite, found, asked, choices, convention, out, console)
    elif convention:
        files = _by_convention(convention, found, asked, choices, out, console)
    else:
        shown, left_out = in_tables(found.runs, found.studies)
        files = _published(make_report(shown, found.studies, choices), out, console)
        for line in left_out:
            say(console, line, style="dim", markup=False)
    for line in capped(found.unread):
        say(console, line, style="yellow", markup=False)
    return files


def _published(made: Report, out: Path | None, console: Console) -> list[Path]:
    """Print a report and write it, even if nobody reads the print to its end, as with ``| head``; return the files."""
    try:
        made.print(console)
    finally:
        files = made.write(out)
    return files


def _by_convention(
    name: str, found: Contents, asked: Asked, choices: Choices, out: Path | None, console: Console
) -> list[Path]:
    comparisons, left_out = converted(compare(found.shown), name, asked)
    made = assemble(Results(comparisons=tuple(comparisons), choices=choices, convention=name))
    files = _published(made, out, console)
    if left_out:
        say(console, left_out, style="dim", markup=False)
    return files


def _of_suite(
    name: str,
    found: Contents,
    asked: Asked,
    choices: Choices,
    convention: str,
    out: Path | None,
    console: Console,
) -> list[Path]:
    """Return the files of the tables of a suite, of each size of it that was run."""
    made = list[Report]()
    in_folder = tuple(sorted({run.spec.titles.method for run in in_tables(found.runs, found.studies)[0]}))
    try:
        for runs in _suite_runs(name, found, () if convention else found.studies):
            of_suite = (
                Results.of_suite(
                    converted_suite(runs, convention, asked), choices=choices, convention=convention, others=in_folder
                )
                if convention
                else Results.of_suite(runs, found.root, choices, others=in_folder)
            )
            made.append(assemble(of_suite))
            made[-1].print(console)
            if runs.changed and not convention:
                say(console, runs.changed, style="yellow", markup=False)
            if runs.absent and not convention:
                say(console, f"Not run at this size: {'; '.join(runs.absent)}.", style="dim", markup=False)
    finally:
        files = write_reports(made, out)
    return files


def _suite_runs(name: str, found: Contents, studies: Sequence[StudyRuns]) -> "list[SuiteRuns]":
    """Return the runs that belong to a suite, by size.

    Raises:
        UsageError: there is no such suite, or there are no runs of it.
    """
    from mtbench.plan.suite.file import find_suite
    from mtbench.report.data.suite.runs import suite_runs

    suite = find_suite(name)
    belonging = suite_runs(suite, found.shown, studies, _declaration(found, suite.name), found.looks)
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
