"""``mtbench report``: tables and figures of the runs that are there."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli import shared
from mtbench.errors import UsageError, did_you_mean

__all__ = ["report"]


def report(
    results: shared.Results = shared.DEFAULT_RESULTS,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for everything; by default reports/local/<dataset>.", metavar="DIR"),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Only this dataset, e.g. mmnist3; may be repeated or a list with commas.", metavar="NAME"),
    ] = None,
    data_root: shared.DataRoot = None,
) -> None:
    """Make the tables and figures of a folder of runs, and print the tables."""
    from rich.console import Console

    from mtbench.report.comparison import compare
    from mtbench.report.layout import page_of
    from mtbench.report.table import build_table
    from mtbench.report.terminal import print_page
    from mtbench.report.write import write_report
    from mtbench.store.status import survey

    statuses = survey(results, shared.data_root(data_root)) if results.is_dir() else []
    if not statuses:
        raise UsageError(
            f"there are no runs in {results}.",
            mend="Make some: mtbench run --methods td,uniform --dataset mmnist3; or name their folder with --results.",
        )
    if wanted := [name.strip() for text in dataset or () for name in text.split(",") if name.strip()]:
        found = sorted({status.spec.titles.dataset for status in statuses})
        for name in wanted:
            if name not in found:
                raise UsageError(
                    f"there are no runs of dataset '{name}' in {results}.",
                    mend=did_you_mean(name, found),
                    allowed=f"Datasets there: {', '.join(found)}.",
                )
        statuses = [status for status in statuses if status.spec.titles.dataset in wanted]
    console = Console()
    for comparison in compare(statuses):
        print_page(page_of(build_table(comparison)), console)
        console.print()
    files = write_report(statuses, out)
    for folder in dict.fromkeys(file.parent for file in files):
        console.print(f"Written to {folder}:", soft_wrap=True, highlight=False, markup=False)
        for file in files:
            if file.parent == folder:
                console.print(f"  {file.name}", soft_wrap=True, highlight=False, markup=False)
