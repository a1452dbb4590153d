"""``mtbench data``: fetch, check, find and look at datasets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.shared import DataRoot, data_root

if TYPE_CHECKING:
    from mtbench.contract import Dataset

__all__ = ["app", "prepare", "show", "verify", "where"]

app = typer.Typer(help="Fetch, check, find and look at datasets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A dataset, perhaps with options, e.g. mmnist4:offset=8.")]
Names = Annotated[list[str], typer.Argument(help="Datasets, perhaps with options.", metavar="NAME")]


@app.command()
def prepare(names: Names, data_root_: DataRoot = None) -> None:
    """Fetch or make the files of datasets, mend what is damaged, and print how frequent classes are."""
    from mtbench.cli.balance import class_balance

    for name, dataset in _open(names, data_root_):
        dataset.prepare(typer.echo)
        typer.echo(f"{name} is ready in {dataset.root}")
        for line in class_balance(dataset):
            typer.echo(f"  {line}")


@app.command()
def verify(names: Names, data_root_: DataRoot = None) -> None:
    """Check every file of datasets against its sum."""
    for name, dataset in _open(names, data_root_):
        for path, checksum in dataset.verify():
            typer.echo(f"{path}  {checksum}")
        typer.echo(f"{name} is all well")


@app.command()
def where(
    name: Annotated[str | None, typer.Argument(help="A dataset, to tell whether it is there.")] = None,
    data_root_: DataRoot = None,
) -> None:
    """Tell where data files live, and whether a dataset is there."""
    typer.echo(data_root(data_root_))
    if name is not None:
        for _, dataset in _open([name], data_root_):
            there = dataset.fingerprint()
            typer.echo(f"{name} is there" if there else f"{name} is not there yet: `mtbench data prepare {name}`")


@app.command()
def show(
    name: Name,
    out: Annotated[
        Path | None, typer.Option("--out", help="The PNG file to write; by default NAME.png.", metavar="FILE")
    ] = None,
    count: Annotated[int, typer.Option("--count", help="How many images.", min=1, max=400)] = 24,
    data_root_: DataRoot = None,
) -> None:
    """Write a page of test images with their labels."""
    from mtbench.report.samples import sample_page

    path = out or Path(f"{name.replace(':', ',').replace('/', '_')}.png")
    for _, dataset in _open([name], data_root_):
        sample_page(dataset, path, count=count)
    typer.echo(path)


def _open(names: list[str], root: Path | None) -> list[tuple[str, "Dataset"]]:
    """The datasets of these names; a misspelt one is found before anything is done to the others."""
    from mtbench.plan.parse import parse_dataset

    return [(name, parse_dataset(name).open(data_root(root))) for name in names]
