"""Tables and figures of results."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from mtbench.door.contents import Contents, read_beside
from mtbench.door.given import DEFAULT_RESULTS, Folder, Folders, folders, names
from mtbench.door.reports.made import Made, make_reports
from mtbench.engines.screen.say import capped, open_console, say
from mtbench.report.assemble import write_reports
from mtbench.report.data.conventions.convert import Asked
from mtbench.report.data.paper import parse_style

__all__ = ["print_reports", "report", "say_unread"]


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
    baselines: Folders = (),
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
        baselines: kept packs, or folders with packs, whose runs are set beside these, so that only a method of one's
            own has to be trained: those with their dataset, data, training protocol and seeds, and tuned methods beside
            ones that were tuned with the same budget; their rows are marked.
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
    found = read_beside(results, baselines, data_root, fresh_only=fresh_only).of_datasets(names(dataset))
    made = make_reports(
        found,
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
    return print_reports(made, found, open_console(quiet=quiet), None if out is None else folders(out)[0])


def print_reports(made: Sequence[Made], found: Contents, console: Console, out: Path | None) -> list[Path]:
    """Print reports on a console and write them, even if nobody reads the print to its end, as with ``| head``.

    Args:
        made: the reports.
        found: the runs and searches that they are made of.
        console: the console.
        out: the folder of the files; None for that of `report`.

    Returns:
        the files.

    Raises:
        UsageError, StoreError: see `report`.
    """
    try:
        for each in made:
            each.report.print(console)
            if each.changed:
                say(console, each.changed, style="yellow", markup=False)
            for line in each.left_out:
                say(console, line, style="dim", markup=False)
    finally:
        files = write_reports([each.report for each in made], out)
    say_unread(found, console)
    return files


def say_unread(found: Contents, console: Console) -> None:
    """Print what cannot be read and is left out of reports."""
    for line in capped(found.unread):
        say(console, line, style="yellow", markup=False)
