"""``mtbench new``: a package for a new plug-in."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base.command import App

__all__ = ["app", "balancer", "dataset", "method"]

app = App(help="Write a package with a working plug-in, to be changed.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the plug-in: lower-case letters, digits and '-'.", metavar="NAME")]
Out = Annotated[Path, typer.Option("--out", help="Folder in which the folder mtbench-NAME is made.", metavar="DIR")]


@app.command()
def method(name: Name, out: Out = Path()) -> None:
    """Write the package mtbench-NAME: a network that learns, its test, and a README."""
    _new("method", name, out)


@app.command()
def balancer(name: Name, out: Out = Path()) -> None:
    """Write the package mtbench-NAME: a balancer that works, its test, and a README."""
    _new("balancer", name, out)


@app.command()
def dataset(name: Name, out: Out = Path()) -> None:
    """Write the package mtbench-NAME: a dataset that can be learned, its test, and a README."""
    _new("dataset", name, out)


def _new(kind: str, name: str, out: Path) -> None:
    from mtbench.scaffold import plan_package, write_package

    package = plan_package(kind, name, out)
    write_package(package)
    for path in package.files:
        typer.echo(package.folder / path)
    typer.echo(f"\nThis {kind} works. Its comments say what to change. Next steps:\n")
    for step in package.steps.splitlines():
        typer.echo(f"    {step}")
