"""``mtbench check``: a plug-in tested against the contract."""

from typing import Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import DataRoot, console, data_root

__all__ = ["check"]


def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A method, balancer, dataset or backbone, with options if wanted, e.g. mine@vgg11.",
            metavar="NAME",
            autocompletion=completion.names,
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="Make only checks with this word in their names, e.g. absent; may be repeated.",
            metavar="WORD",
        ),
    ] = None,
    root: DataRoot = None,
) -> None:
    """Check that a plug-in keeps the contract; the exit code is 1 if it does not."""
    from rich.markup import escape

    from mtbench import registry
    from mtbench.conformance import examine
    from mtbench.engines.screen.say import say
    from mtbench.plan.parse import parse_method

    out, faults = console(), 0
    for result in examine(name, root=data_root(root), only=only or ()):
        mark = "[bold red]failed[/]" if result.fault else "[green]ok[/]    "
        say(out, f"{mark}  {escape(result.check)}")
        if result.fault:
            faults += 1
            say(out, f"        {result.fault}", markup=False)
        if result.left_out:
            say(out, f"{result.left_out} checks that depend on this one are left out.")
    if faults:
        failed = "1 check failed" if faults == 1 else f"{faults} checks failed"
        say(out, f"{failed}; docs/checks.md explains each check and what to do if it fails.")
        raise typer.Exit(1)
    if only:
        return
    say(out, f"'{name}' conforms.", markup=False)
    if name.partition(":")[0] in registry.entries("method"):
        reference = parse_method(registry.reference("method")).title
        command = f"mtbench run --methods {name},{reference} --dataset mmnist2 --quick"
        say(out, f"Next, compare it: {command}", markup=False)
