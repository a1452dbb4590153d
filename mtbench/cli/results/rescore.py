"""``mtbench rescore``: metrics of test splits from stored predictions, by the present code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.shared import WHERE, DataRoot, Folders, ResultsOption, chosen_folders, console, data_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtbench.door.checks.rescore import Rescored

__all__ = ["EXAMPLES", "rescore"]

EXAMPLES = """Examples:

  mtbench rescore results/local --out scores.csv
  mtbench rescore results/x.zip --metric f1,macro-f1 --out f1.csv
  mtbench rescore results/x.zip --out scores.csv --confusion confusion.csv
"""


def rescore(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="File to write: .csv or .parquet, a row per run, task and metric.",
            metavar="FILE",
            rich_help_panel=WHERE,
        ),
    ],
    folders: Folders = None,
    results: ResultsOption = None,
    metric: Annotated[
        str,
        typer.Option("--metric", help="Metrics that are wanted, separated by commas; by default all.", metavar="NAMES"),
    ] = "",
    counts: Annotated[
        Path | None,
        typer.Option(
            "--confusion",
            help="File for confusion matrices of tasks of classes: .csv or .parquet, a row per run, task, true and "
            "predicted class.",
            metavar="FILE",
            rich_help_panel=WHERE,
        ),
    ] = None,
    root: DataRoot = None,
) -> None:
    """Compute metrics of test splits from stored predictions, by the code that is here, beside the recorded values.

    For a metric that was added or mended after training. Records stay as they are; nothing is trained.
    """
    from mtbench.door.checks.rescore import rescore as derive
    from mtbench.door.checks.runs import finished_runs
    from mtbench.door.export import check_format, write_table
    from mtbench.door.given import names
    from mtbench.engines.screen.say import say
    from mtbench.errors import UsageError

    path = check_format("--out", out)
    matrices = check_format("--confusion", counts) if counts else None
    given = chosen_folders(folders, results)
    runs = {run.sum: run for folder in given for run in finished_runs(folder)}
    if not runs:
        raise UsageError(f"there are no finished runs in {', '.join(map(str, given))}.")
    by_data = sorted(runs.values(), key=lambda run: (str(run.record.spec.dataset), run.name))
    found = derive(by_data, data_root(root), metrics=names(metric), with_confusion=counts is not None)
    write_table(found.scores, path)
    rows, of = len(found.scores), found.scores["id"].nunique()
    say(console(), f"{rows} rows of {of} runs are written to {path}", markup=False)
    if matrices:
        write_table(found.confusion, matrices)
        say(console(), f"{len(found.confusion)} rows of counts are written to {matrices}", markup=False)
    for line in _lines(found):
        say(console(), line, markup=False)


def _lines(found: "Rescored") -> "Iterator[str]":
    """Yield what is there, and what is otherwise than in the records."""
    from mtbench.door.checks.runs import named
    from mtbench.engines.screen.say import capped

    if len(added := found.added):
        metrics = ", ".join(dict.fromkeys(added["metric"]))
        yield f"{len(added)} values are of metrics that the records lack: {metrics}"
    if unknown := int(found.scores["value"].isna().sum()):
        metrics = ", ".join(dict.fromkeys(found.scores[found.scores["value"].isna()]["metric"]))
        yield f"{unknown} values are undefined, or need more than what is stored: {metrics}"
    changed = found.changed
    if len(changed):
        yield f"{len(changed)} values are not those of the records:"
    yield from capped(
        [
            f"  {row.dataset} {row.method} seed {row.seed}, {row.task}, {row.metric}: "
            f"recorded {row.recorded!r}, now {row.value!r}"
            for row in changed.itertuples()
        ]
    )
    same = int((found.scores["value"] == found.scores["recorded"]).sum())
    yield f"{same} values are those of the records"
    for why, runs in found.left.items():
        yield f"{len(runs)} runs are left out: {why}: {named(runs)}"
