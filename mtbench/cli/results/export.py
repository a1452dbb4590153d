"""``mtbench export``: results as one table for other programs."""

import warnings
from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base.shared import WHERE, DataRoot, Folders, ResultsOption, chosen_folders, console, data_root

__all__ = ["export"]


def export(
    out: Annotated[
        Path,
        typer.Option("--out", help="File to write: .csv or .parquet.", metavar="FILE", rich_help_panel=WHERE),
    ],
    folders: Folders = None,
    results: ResultsOption = None,
    root: DataRoot = None,
) -> None:
    """Write the results as one tidy table: one row per run, split, task and metric."""
    from mtbench.door.export import export as write
    from mtbench.engines.screen.say import say

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        frame = write(chosen_folders(folders, results), out, data_root=data_root(root))
    for warning in warned:
        for line in str(warning.message).splitlines():
            say(console(), line, style="yellow", markup=False)
    say(console(), f"{len(frame)} rows of {frame['id'].nunique()} runs are written to {out}", markup=False)
