"""``mtbench export``: results as one table for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.shared import DataRoot, Folders, ResultsOption, chosen_folders, data_root

__all__ = ["export"]


def export(
    out: Annotated[Path, typer.Option("--out", help="The file to write: .csv or .parquet.", metavar="FILE")],
    folders: Folders = None,
    results: ResultsOption = None,
    root: DataRoot = None,
) -> None:
    """Write the results as one tidy table: one row per run, split, task and metric."""
    from mtbench.door.export import export as write

    frame = write(chosen_folders(folders, results), out, data_root=data_root(root))
    typer.echo(f"{len(frame)} rows of {frame['id'].nunique()} runs are written to {out}")
