"""Tables and figures of results."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from mtbench.door.given import DEFAULT_RESULTS, Folder, Folders, names
from mtbench.door.results import read_results
from mtbench.report.assemble import make_report
from mtbench.report.data.choices import Convention, parse_choices
from mtbench.report.data.studies import in_tables

__all__ = ["report"]


def report(
    results: Folders = DEFAULT_RESULTS,
    *,
    out: Folder | None = None,
    dataset: str | Iterable[str] = (),
    metrics: str | Iterable[str] = (),
    delta: str = "task",
    delta_sign: str = "gain",
    delta_base: str = "seed",
    rank: bool = False,
    data_root: Folder | None = None,
    quiet: bool = False,
) -> list[Path]:
    """Print the tables of finished runs, and write them with their figures.

    Args:
        results: a results folder, or several.
        out: the folder of the files; by default ``reports/local/<dataset>``.
        dataset: report these datasets alone.
        metrics: names of the metrics in summary tables, or ``all``; by default the primary one of each task.
        delta: average in Δm: ``task`` (over the metrics of each task, then over tasks), ``metric`` (over all metrics)
            or ``main`` (over the primary ones).
        delta_sign: sign of Δm: ``gain`` (higher is better) or ``drop``.
        delta_base: divisor of Δm: the single-task run of the same ``seed``, or the ``mean`` of the single-task runs.
        rank: whether to show the mean rank of each method over metrics.
        data_root: see `mtbench.load`.
        quiet: whether to print no tables.

    Returns:
        the files: each table as Markdown, LaTeX and CSV, each figure as PDF and PNG, and the tidy frame as CSV.

    Raises:
        UsageError: there are no runs, or something that was asked for does not exist.
        StoreError: a folder cannot be read, a file cannot be written, or one run has two different records.

    Example:
        >>> files = mtbench.report("results/local", out="tables", quiet=True)
        >>> sorted({file.suffix for file in files})
        ['.csv', '.md', '.pdf', '.png', '.tex']
    """
    console = Console(quiet=quiet)
    found = read_results(results, data_root).of_datasets(names(dataset))
    tasks = [task for run in found.runs if run.record for task in run.record.tasks]
    convention = Convention(average=delta, sign=delta_sign, base=delta_base)
    choices = parse_choices(",".join(names(metrics)), convention, tasks, rank=rank)
    shown, left_out = in_tables(found.runs, found.studies)
    made = make_report(shown, found.studies, choices)
    made.print(console)
    for line in left_out:
        console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False)
    return made.write(Path(out) if out else None)
