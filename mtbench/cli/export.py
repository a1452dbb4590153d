"""``mtbench export``: results as one table for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.shared import DEFAULT_RESULTS, DataRoot, data_root

__all__ = ["export"]


def export(
    out: Annotated[Path, typer.Option("--out", help="The file to write: .csv or .parquet.", metavar="FILE")],
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Results folders; by default results/local.", metavar="DIR", show_default=False),
    ] = None,
    root: DataRoot = None,
) -> None:
    """Write the results as one tidy table: one row per run, split, task and metric."""
    from mtbench.door.export import export as write

    frame = write(folders or [DEFAULT_RESULTS], out, data_root=data_root(root))
    typer.echo(f"{len(frame)} rows of {frame['id'].nunique()} runs are written to {out}")
