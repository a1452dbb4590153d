"""What several commands share: options, and how they print."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import platformdirs
import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["DEFAULT_RESULTS", "DataRoot", "Device", "Results", "console", "data_root", "grid"]

DEFAULT_RESULTS = Path("results/local")

Results: TypeAlias = Annotated[Path, typer.Option("--results", help="Folder of the runs.", metavar="DIR")]
DataRoot: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        envvar="MTBENCH_DATA",
        help="Folder of the data files; by default the platform's folder for user data.",
        metavar="DIR",
    ),
]
Device: TypeAlias = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.", metavar="NAME")]


def data_root(given: Path | None) -> Path:
    """The folder of the data files, absolute: as given, or the platform's folder for user data."""
    return (given or platformdirs.user_data_path("mtbench")).expanduser().absolute()


def console() -> "Console":
    """Standard output; in a file or a pipe a line is as long as it comes, unless COLUMNS is set."""
    from rich.console import Console

    opened = Console()
    if not opened.is_terminal and "COLUMNS" not in os.environ:
        opened.width = 10_000
    return opened


def grid(*columns: str) -> "Table":
    """An empty table with these heads, whose cells wrap."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
