"""Shared parts of several commands: options, and how they print."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mtbench.door.given import DEFAULT_RESULTS, data_root

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "DEFAULT_RESULTS",
    "BackboneName",
    "Changes",
    "DataRoot",
    "Datasets",
    "Device",
    "DryRun",
    "Epochs",
    "GradientScale",
    "Jobs",
    "ProtocolName",
    "Quick",
    "Quiet",
    "Refresh",
    "Results",
    "RunsPerDevice",
    "console",
    "data_root",
    "grid",
    "keeping",
]

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
Datasets: TypeAlias = Annotated[str, typer.Option("--dataset", help="Datasets, separated by commas.", metavar="NAMES")]
ProtocolName: TypeAlias = Annotated[
    str, typer.Option("--protocol", help="One of the dataset's protocols.", metavar="NAME")
]
Quick: TypeAlias = Annotated[bool, typer.Option("--quick", help="Short for --protocol quick.")]
Epochs: TypeAlias = Annotated[int | None, typer.Option("--epochs", help="Short for --set epochs=...")]
Changes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", help="A number of the protocol, e.g. lr=0.0005; may be repeated.", metavar="KEY=VALUE"),
]
GradientScale: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--gradient-scale",
        help="Length of the gradients that balancers combine: native, sum or matched.",
        metavar="SCALE",
    ),
]
BackboneName: TypeAlias = Annotated[
    str, typer.Option("--backbone", help="Of methods that name none, e.g. vgg11:width=.25.", metavar="NAME")
]
Jobs: TypeAlias = Annotated[
    int | None, typer.Option("--jobs", help="Runs at a time; by default one per core, or as the GPUs allow.")
]
RunsPerDevice: TypeAlias = Annotated[int, typer.Option("--runs-per-device", help="Runs at a time on each GPU.")]
Refresh: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--refresh", help="Do again what is stale, failed, damaged or all; separated by commas.", metavar="STATES"
    ),
]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="Print nothing but problems and the summary.")]


@contextmanager
def keeping() -> Iterator[None]:
    """Keep what is made within the block to the end of the process: it is never searched for cycles, which for 10,000
    records takes longer than to read them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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
