"""``mtbench report``: tables and figures of finished runs."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli import completion, conventions, shared
from mtbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.report.data.choices import Choices
    from mtbench.report.data.studies import StudyRuns
    from mtbench.store.status import RunStatus

__all__ = ["EXAMPLES", "report"]

EXAMPLES = """Examples:

  mtbench report
  mtbench report results/offset8 --dataset mmnist4:offset=8 --out tables
  mtbench report --suite levi2020-table1
  mtbench report --suite nyuv2-famo --convention cagrad
"""
TABLES = "Tables"


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
        typer.Option("--rank", help="Show the mean rank of each method over metrics.", rich_help_panel=TABLES),
    ] = False,
    data_root: shared.DataRoot = None,
) -> None:
    """Write the tables and figures of finished runs, and print the tables."""
    from mtbench.engines.say import say
    from mtbench.report.data.choices import parse_choices
    from mtbench.report.data.conventions.convert import Asked
    from mtbench.report.data.studies import find_studies, without_trials
    from mtbench.store.status import survey
    from mtbench.store.study import read_studies

    chosen = shared.chosen_folders(folders, results)
    if len(chosen) > 1:
        raise UsageError(f"{len(chosen)} results folders were given.", allowed="A report is of one.")
    place = chosen[0]
    root, asked = shared.data_root(data_root), Asked(average=delta, sign=delta_sign, base=delta_base)
    with shared.keeping():
        statuses = survey(place, root) if place.is_dir() else []
    if not statuses:
        runs = f"--suite {shlex.quote(suite)}" if suite else "--methods td,uniform --dataset mmnist3"
        raise UsageError(
            f"there are no runs in {place}.",
            mend=f"Train some: mtbench run {runs}; or name their folder: mtbench report DIR.",
        )
    if wanted := [name.strip() for text in dataset or () for name in text.split(",") if name.strip()]:
        statuses = _of_datasets(statuses, wanted, place)
    tasks = [task for status in statuses if status.record for task in status.record.tasks]
    choices = parse_choices(metrics, asked.delta, tasks, rank=rank)
    there = {status.spec.titles.dataset for status in statuses}
    studies = [study for study in read_studies(place) if study.titles.dataset in there]
    found = find_studies(studies, statuses)
    console = shared.console()
    if convention and suite:
        shown = without_trials(statuses, found)
        files = conventions.tables_of_suite(suite, convention, place, shown, asked, out, choices, console)
    elif convention:
        shown = without_trials(statuses, found)
        files = conventions.tables(convention, shown, asked, out, choices, console)
    elif suite:
        files = _report_suite(suite, place, without_trials(statuses, found), found, root, out, choices, console)
    else:
        files = _report_all(statuses, found, out, choices, console)
    for folder in dict.fromkeys(file.parent for file in files):
        say(console, f"Written to {folder}:", markup=False)
        for file in files:
            if file.parent == folder:
                say(console, f"  {file.name}", markup=False)


def _of_datasets(statuses: "Sequence[RunStatus]", wanted: Sequence[str], results: Path) -> "list[RunStatus]":
    found = sorted({status.spec.titles.dataset for status in statuses})
    for name in wanted:
        if name not in found:
            raise UsageError(
                f"there are no runs of dataset '{name}' in {results}.",
                mend=did_you_mean(name, found),
                allowed=f"Datasets there: {', '.join(found)}.",
            )
    return [status for status in statuses if status.spec.titles.dataset in wanted]


def _report_all(
    statuses: "Sequence[RunStatus]",
    studies: "Sequence[StudyRuns]",
    out: Path | None,
    choices: "Choices",
    console: "Console",
) -> list[Path]:
    from mtbench.engines.say import say
    from mtbench.report.assemble import make_report
    from mtbench.report.data.studies import in_tables

    shown, left_out = in_tables(statuses, studies)
    made = make_report(shown, studies, choices)
    made.print(console)
    for line in left_out:
        say(console, line, style="dim", markup=False)
    return made.write(out)


def _report_suite(
    name: str,
    results: Path,
    statuses: "Sequence[RunStatus]",
    studies: "Sequence[StudyRuns]",
    root: Path,
    out: Path | None,
    choices: "Choices",
    console: "Console",
) -> list[Path]:
    from mtbench.engines.say import say
    from mtbench.report.assemble import assemble
    from mtbench.report.exhibit import Results

    files: list[Path] = []
    for runs in conventions.runs_of_suite(name, results, statuses, studies):
        made = assemble(Results.of_suite(runs, root, choices))
        made.print(console)
        if runs.changed:
            say(console, runs.changed, style="yellow", markup=False)
        if runs.absent:
            say(console, f"Not run at this size: {'; '.join(runs.absent)}.", style="dim", markup=False)
        files += made.write(out)
    return files
