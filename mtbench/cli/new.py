"""``mtbench new``: a package for a plug-in of one's own, to start from."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app", "balancer", "dataset", "method"]

app = typer.Typer(help="Write a package for a plug-in of your own, to start from.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What it will be called: lower-case letters, digits and '-'.")]
Out = Annotated[Path, typer.Option("--out", help="The folder that mtbench-NAME is made in.", metavar="DIR")]


@app.command()
def method(name: Name, out: Out = Path()) -> None:
    """Write ./mtbench-NAME: a network that learns, its test, and how it is installed."""
    _new("method", name, out)


@app.command()
def balancer(name: Name, out: Out = Path()) -> None:
    """Write ./mtbench-NAME: a balancer that works, its test, and how it is installed."""
    _new("balancer", name, out)


@app.command()
def dataset(name: Name, out: Out = Path()) -> None:
    """Write ./mtbench-NAME: a dataset that can be learned, its test, and how it is installed."""
    _new("dataset", name, out)


def _new(kind: str, name: str, out: Path) -> None:
    from mtbench.scaffold import plan_package, write_package

    package = plan_package(kind, name, out)
    write_package(package)
    for path in package.files:
        typer.echo(package.folder / path)
    typer.echo(f"\nA {kind} that works. Its comments say what to change. From here on:\n")
    for step in package.steps.splitlines():
        typer.echo(f"    {step}")
