"""``mtbench report``: tables and figures of finished runs."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base import completion, shared

__all__ = ["EXAMPLES", "report"]

EXAMPLES = """Examples:

  mtbench report
  mtbench report results/offset8 --dataset mmnist4:offset=8 --out tables
  mtbench report --suite levi2020-table1
  mtbench report --style paper --columns LU,RL,mean,delta-m --digits 1 --sort mean
  mtbench report --suite nyuv2-famo --convention cagrad
  mtbench report results/mine --with baselines.zip --with results/2026-11-24-mmnist2-all
  mtbench report evidence.zip --out tables --document README.md
  mtbench report evidence.zip --out tables --document README.md --check
  mtbench report evidence.zip --check --document paper.tex
"""
TABLES = "Tables"
PAPER = "Tables for papers (with --style paper)"
CHECK = "Comparison with what is written"


def report(
    folders: shared.Folders = None,
    results: shared.ResultsOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the files; by default reports/local/<dataset or suite>.",
            metavar="DIR",
            rich_help_panel=shared.WHERE,
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            "--datasets",
            help="Report these datasets alone, e.g. mmnist3; separated by commas, or repeated.",
            metavar="NAMES",
            rich_help_panel=shared.WHAT,
            autocompletion=completion.datasets,
        ),
    ] = None,
    suite: Annotated[
        str,
        typer.Option(
            "--suite",
            help="Report the runs of this suite: published numbers beside measured ones, and its claims, judged.",
            metavar="SUITE",
            rich_help_panel=shared.WHAT,
            autocompletion=completion.suites,
        ),
    ] = "",
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics",
            help="Metrics in summary tables: all, or names separated by commas; by default the primary one of each "
            "task.",
            rich_help_panel=TABLES,
            metavar="all|NAMES",
        ),
    ] = "",
    delta: Annotated[
        str,
        typer.Option(
            "--delta",
            help="Average in Δm: task (over the metrics of each task, then over tasks; the default), metric (over all "
            "metrics), or main (over primary metrics).",
            rich_help_panel=TABLES,
            metavar="task|metric|main",
        ),
    ] = "",
    delta_sign: Annotated[
        str,
        typer.Option(
            "--delta-sign",
            help="Sign of Δm: gain (higher is better; the default) or drop.",
            metavar="gain|drop",
            rich_help_panel=TABLES,
        ),
    ] = "",
    delta_base: Annotated[
        str,
        typer.Option(
            "--delta-base",
            help="Divisor of Δm: the single-task run of the same seed (seed, the default), or the mean of the "
            "single-task runs (mean).",
            rich_help_panel=TABLES,
            metavar="seed|mean",
        ),
    ] = "",
    convention: Annotated[
        str,
        typer.Option(
            "--convention",
            help="Compute the tables by the rules of published code; `mtbench info DATASET` lists the conventions.",
            rich_help_panel=TABLES,
            metavar="NAME",
        ),
    ] = "",
    rank: Annotated[
        bool,
        typer.Option(
            "--rank",
            help="Show mean ranks over metrics, and how far the order depends on one task or dataset.",
            rich_help_panel=TABLES,
        ),
    ] = False,
    style: Annotated[
        str,
        typer.Option(
            "--style",
            help="report (everything that is known; the default), or paper: one plain LaTeX table that fits a column, "
            "details for the appendix, references of the methods, and figures of a column's width.",
            metavar="report|paper",
            rich_help_panel=PAPER,
        ),
    ] = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            help="Columns in their order: tasks, mean, delta-m, rank, rank-interval, n, params, macs, labels, time, "
            "memory; by default the tasks, their mean and delta-m.",
            metavar="NAMES",
            rich_help_panel=PAPER,
        ),
    ] = "",
    digits: Annotated[
        int | None,
        typer.Option("--digits", help="Decimals of metrics and gains.", metavar="COUNT", rich_help_panel=PAPER),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            help="Column by which methods are sorted, the best first; by default they are in alphabetical order.",
            metavar="NAME",
            rich_help_panel=PAPER,
        ),
    ] = "",
    wide: Annotated[
        bool,
        typer.Option("--wide", help="Make tables as wide as a page in two columns (table*).", rich_help_panel=PAPER),
    ] = False,
    underline_second: Annotated[
        bool,
        typer.Option(
            "--underline-second", help="Underline the second best number of each column.", rich_help_panel=PAPER
        ),
    ] = False,
    rank_intervals: Annotated[
        str,
        typer.Option(
            "--rank-intervals",
            help="Show the interval of each method's rank (95 % for all methods together): from all pairs (all; with "
            "letters of methods that are not significantly different: letters), or from those with the best, "
            "single-task networks and the reference alone (baselines).",
            metavar="all|letters|baselines",
            rich_help_panel=TABLES,
        ),
    ] = "",
    fresh_only: Annotated[
        bool,
        typer.Option(
            "--fresh-only",
            help="Leave stale runs out, of which code or data changed since; footnotes name them.",
            rich_help_panel=TABLES,
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing: compare the files of the report with those in the folder of --out, and the numbers in "
            "documents, and name each that differs; exit with 1 if one does. Without --out, documents alone if there "
            "are any.",
            rich_help_panel=CHECK,
        ),
    ] = False,
    document: Annotated[
        list[Path] | None,
        typer.Option(
            "--document",
            "--documents",
            help="Markdown or LaTeX with numbers of the report; may be repeated. In Markdown they stand between "
            "comments that name them, and are rewritten without --check; in LaTeX they are macros (docs/papers.md).",
            metavar="FILE",
            rich_help_panel=CHECK,
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance",
            help="With --check: relative difference up to which numbers in tables at full precision are equal, such "
            "as 1e-6 on a machine with another processor, which adds in another order.",
            metavar="NUMBER",
            show_default=False,
            rich_help_panel=CHECK,
        ),
    ] = 0.0,
    baselines: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            help="Set the runs of this kept pack, or of a folder with packs, beside the others, so that only your own "
            "method has to be trained: runs with the same dataset, data, training protocol and seeds, and tuned "
            "methods beside yours that were tuned with the same budget; marked as kept. May be repeated.",
            metavar="PACK",
            rich_help_panel=shared.WHAT,
        ),
    ] = None,
    data_root: shared.DataRoot = None,
) -> None:
    """Write the tables and figures of finished runs, and print the tables; or compare them with what is written."""
    from mtbench.door.contents import read_beside
    from mtbench.door.given import names
    from mtbench.door.report import print_reports, say_unread
    from mtbench.door.reports.check import check_reports, update_documents
    from mtbench.door.reports.made import make_reports
    from mtbench.engines.screen.say import say
    from mtbench.report.data.conventions.convert import Asked
    from mtbench.report.data.paper import parse_style

    paper = parse_style(style, columns=columns, digits=digits, sort=sort, wide=wide, underline_second=underline_second)
    console, asked = shared.console(), Asked(average=delta, sign=delta_sign, base=delta_base)
    with shared.keeping():
        found = read_beside(shared.chosen_folders(folders, results), baselines, data_root, fresh_only=fresh_only)
    found = found.of_datasets(names(",".join(dataset or ())))
    made = make_reports(
        found,
        suite=suite,
        metrics=metrics,
        asked=asked,
        convention=convention,
        rank=rank,
        rank_intervals=rank_intervals,
        paper=paper,
    )
    reports, documents = [each.report for each in made], document or []
    if check:
        outcome = check_reports(reports, out=out, documents=documents, tolerance=tolerance)
        for finding in outcome.findings:
            say(console, str(finding), style="dim" if finding.note else "", markup=False)
        say_unread(found, console)
        say(console, outcome.summary, markup=False)
        raise typer.Exit(1 if outcome.wrong else 0)
    files = print_reports(made, found, console, out)
    for folder in dict.fromkeys(file.parent for file in files):
        say(console, f"Written to {folder}:", markup=False)
        for file in files:
            if file.parent == folder:
                say(console, f"  {file.name}", markup=False)
    changed, wrong = update_documents(reports, documents)
    for path in documents:
        say(console, f"{path}: {'numbers are rewritten' if path in changed else 'nothing to change'}.", markup=False)
    for finding in wrong:
        say(console, str(finding), markup=False)
    if wrong:
        raise typer.Exit(1)
