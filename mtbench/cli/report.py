"""``mtbench report``: tables and figures of the runs that are there."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli import conventions, shared
from mtbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.report.data.choices import Choices
    from mtbench.report.data.studies import StudyRuns
    from mtbench.store.status import RunStatus

__all__ = ["report"]


def report(
    results: shared.Results = shared.DEFAULT_RESULTS,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for everything; by default reports/local/<dataset or suite>.", metavar="DIR"),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Only this dataset, e.g. mmnist3; may be repeated or a list with commas.", metavar="NAME"),
    ] = None,
    suite: Annotated[
        str,
        typer.Option(help="As this suite has it: the paper's numbers beside ours, and claims judged.", metavar="SUITE"),
    ] = "",
    metrics: Annotated[
        str,
        typer.Option(
            help="Metrics that summary tables show: all, or names with commas; by default each task's primary one.",
            metavar="all|NAMES",
        ),
    ] = "",
    delta: Annotated[
        str,
        typer.Option(
            help="Average in Δm: task (over each task's metrics, then over tasks; the default), metric (over all "
            "metrics), or main (over primary metrics).",
            metavar="task|metric|main",
        ),
    ] = "",
    delta_sign: Annotated[
        str,
        typer.Option(help="Sign of Δm: gain (higher is better; the default) or drop.", metavar="gain|drop"),
    ] = "",
    delta_base: Annotated[
        str,
        typer.Option(
            help="Divisor of Δm: the single-task run of the same seed (the default), or the mean of the single-task "
            "runs.",
            metavar="seed|mean",
        ),
    ] = "",
    convention: Annotated[
        str,
        typer.Option(
            help="Compute the tables by the rules of published code instead, of which `mtbench info DATASET` shows "
            "those that there are.",
            metavar="NAME",
        ),
    ] = "",
    rank: Annotated[bool, typer.Option("--rank", help="Show the mean rank of each method over metrics.")] = False,
    data_root: shared.DataRoot = None,
) -> None:
    """Make the tables and figures of a folder of runs, and print the tables."""
    from rich.console import Console

    from mtbench.report.data.choices import parse_choices
    from mtbench.report.data.conventions.convert import Asked
    from mtbench.report.data.studies import find_studies, without_trials
    from mtbench.store.status import survey
    from mtbench.store.study import read_studies

    root, asked = shared.data_root(data_root), Asked(average=delta, sign=delta_sign, base=delta_base)
    with shared.keeping():
        statuses = survey(results, root) if results.is_dir() else []
    if not statuses:
        runs = f"--suite {shlex.quote(suite)}" if suite else "--methods td,uniform --dataset mmnist3"
        raise UsageError(
            f"there are no runs in {results}.",
            mend=f"Make some: mtbench run {runs}; or name their folder with --results.",
        )
    if wanted := [name.strip() for text in dataset or () for name in text.split(",") if name.strip()]:
        statuses = _of_datasets(statuses, wanted, results)
    tasks = [task for status in statuses if status.record for task in status.record.tasks]
    choices = parse_choices(metrics, asked.delta, tasks, rank=rank)
    there = {status.spec.titles.dataset for status in statuses}
    studies = [study for study in read_studies(results) if study.titles.dataset in there]
    found = find_studies(studies, statuses)
    console = Console()
    if convention and suite:
        shown = without_trials(statuses, found)
        files = conventions.tables_of_suite(suite, convention, results, shown, asked, out, choices, console)
    elif convention:
        shown = without_trials(statuses, found)
        files = conventions.tables(convention, shown, asked, out, choices, console)
    elif suite:
        files = _report_suite(suite, results, without_trials(statuses, found), found, root, out, choices, console)
    else:
        files = _report_all(statuses, found, out, choices, console)
    for folder in dict.fromkeys(file.parent for file in files):
        console.print(f"Written to {folder}:", soft_wrap=True, highlight=False, markup=False)
        for file in files:
            if file.parent == folder:
                console.print(f"  {file.name}", soft_wrap=True, highlight=False, markup=False)


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
    from mtbench.report.data.studies import in_tables
    from mtbench.report.page.terminal import print_page
    from mtbench.report.write import make_report

    shown, left_out = in_tables(statuses, studies)
    made = make_report(shown, studies, choices)
    for page in made.pages():
        print_page(page, console)
        console.print()
    for line in left_out:
        console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False)
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
    from mtbench.report.exhibits.claims.judged import judge_claims
    from mtbench.report.page.terminal import print_page
    from mtbench.report.suites.pages import suite_pages
    from mtbench.report.suites.write import write_suite

    files: list[Path] = []
    for runs in conventions.runs_of_suite(name, results, statuses, studies):
        judged = judge_claims(runs, root)
        for page in suite_pages(runs, judged, choices):
            print_page(page, console)
            console.print()
        if runs.changed:
            console.print(runs.changed, style="yellow", soft_wrap=True, highlight=False, markup=False)
        if runs.absent:
            told = f"Not run at this size: {'; '.join(runs.absent)}."
            console.print(told, style="dim", soft_wrap=True, highlight=False, markup=False)
        files += write_suite(runs, judged, out, choices)
    return files
