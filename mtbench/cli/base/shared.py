"""Options that several commands have, and the form in which commands print."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mtbench.cli.base import completion
from mtbench.contract.options.limits import LIMITS, in_words, shown
from mtbench.door.given import DEFAULT_RESULTS, data_root
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "DEFAULT_RESULTS",
    "MACHINE",
    "PROTOCOL",
    "WHAT",
    "WHERE",
    "BackboneName",
    "Changes",
    "DataRoot",
    "Datasets",
    "Device",
    "DryRun",
    "Epochs",
    "Folders",
    "GradientScale",
    "Jobs",
    "ProtocolName",
    "Quick",
    "Quiet",
    "Refresh",
    "Results",
    "ResultsOption",
    "RunsPerDevice",
    "Verbose",
    "chosen_folders",
    "console",
    "data_root",
    "grid",
    "keeping",
    "number",
    "whole_number",
]

WHAT, PROTOCOL, WHERE, MACHINE = "What", "Training protocol", "Where", "Machine"
"""Groups of options in help texts."""


def whole_number(option: str, help: str, *, limit: str, low: int = 1, **more: Any) -> Any:
    """Return an option whose value is a whole number from `low` to ``LIMITS[limit]``, for ``Annotated``."""
    return number(option, help, limit=limit, low=low, kind=int, **more)


def number(
    option: str,
    help: str,
    *,
    limit: str,
    low: float,
    kind: Callable[[str], float] = float,
    **more: Any,
) -> Any:
    """Return an option whose value is a number from `low` to ``LIMITS[limit]``, for ``Annotated``.

    Its help ends with these bounds.

    The value is read here, since what typer says of a wrong one depends on its version.
    """

    high = LIMITS[limit]
    bounds = in_words(low, high)

    def read(given: Any) -> float:
        noun = "a whole number" if kind is int else "a number"
        try:
            value = kind(str(given))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise UsageError(f"{option} is '{shown(given)}'.", allowed=f"Allowed: {noun}, {bounds}.")
        return value

    return typer.Option(option, help=f"{help.removesuffix('.')} ({bounds}).", parser=read, metavar="NUMBER", **more)


Results: TypeAlias = Annotated[
    Path,
    typer.Option("--results", help="Results folder, which the runs are kept in.", metavar="DIR", rich_help_panel=WHERE),
]
Folders: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(help="Results folders and packs; by default results/local.", metavar="DIR", show_default=False),
]
ResultsOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--results",
        help="A results folder or a pack, as the argument DIR; may be repeated.",
        metavar="DIR",
        rich_help_panel=WHERE,
    ),
]
DataRoot: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        envvar="MTBENCH_DATA",
        help="Folder of the data files; by default the platform's folder for user data.",
        metavar="DIR",
        rich_help_panel=WHERE,
    ),
]
Device: TypeAlias = Annotated[
    str,
    typer.Option(
        "--device", help="Device to train on: auto, cpu, cuda or cuda:N.", metavar="NAME", rich_help_panel=MACHINE
    ),
]
Datasets: TypeAlias = Annotated[
    str,
    typer.Option(
        "--dataset",
        "--datasets",
        help="Datasets, separated by commas, e.g. mmnist3,mmnist4:offset=8.",
        metavar="NAMES",
        rich_help_panel=WHAT,
        autocompletion=completion.datasets,
    ),
]
BackboneName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--backbone",
        help="Backbone of the methods that name none, e.g. vgg11:width=.25; by default the dataset's own.",
        metavar="NAME",
        rich_help_panel=WHAT,
        autocompletion=completion.backbones,
    ),
]
ProtocolName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="One of the dataset's training protocols, by default paper; `mtbench info DATASET` shows them.",
        metavar="NAME",
        rich_help_panel=PROTOCOL,
    ),
]
Quick: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Train a preview, with few epochs and images: short for --protocol quick.",
        rich_help_panel=PROTOCOL,
    ),
]
Epochs: TypeAlias = Annotated[
    int | None,
    whole_number(
        "--epochs", "Passes over the training images: --set epochs=...", limit="epochs", rich_help_panel=PROTOCOL
    ),
]
Changes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change a setting of the training protocol, e.g. lr=0.0005; may be repeated. `mtbench info DATASET` "
        f"explains the settings: {', '.join(key.replace('_', '-') for key in completion.SETTINGS)}.",
        metavar="KEY=VALUE",
        rich_help_panel=PROTOCOL,
        autocompletion=completion.settings,
    ),
]
GradientScale: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--gradient-scale",
        help="Length of the gradients that balancers combine: native, sum or matched.",
        metavar="SCALE",
        rich_help_panel=PROTOCOL,
    ),
]
Jobs: TypeAlias = Annotated[
    int | None,
    whole_number(
        "--jobs",
        "Runs at a time; by default one per core, or as many as the GPUs allow.",
        limit="jobs",
        rich_help_panel=MACHINE,
    ),
]
RunsPerDevice: TypeAlias = Annotated[
    int,
    whole_number("--runs-per-device", "Runs at a time on each GPU.", limit="runs-per-device", rich_help_panel=MACHINE),
]
Refresh: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--refresh",
        help="Retrain the runs in these states: stale, failed, damaged or all; separated by commas.",
        metavar="STATES",
    ),
]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and write nothing.")]
Verbose: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="List every run before the first starts.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="Print nothing but problems and the summary.")]


def chosen_folders(given: list[Path] | None, option: list[Path] | None) -> list[Path]:
    """Return the results folders that were given as arguments and by ``--results``, each once; by default one."""
    return list(dict.fromkeys([*(given or []), *(option or [])])) or [DEFAULT_RESULTS]


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


def console(*, quiet: bool = False) -> "Console":
    """Return standard output, see `mtbench.engines.screen.say.open_console`."""
    from mtbench.engines.screen.say import open_console

    return open_console(quiet=quiet)


def grid(*columns: str) -> "Table":
    """Return an empty table with these heads, whose cells wrap."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
