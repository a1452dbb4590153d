"""``mtbench check``: does a plug-in keep what the contract promises?"""

from typing import Annotated

import typer

from mtbench.cli.shared import DataRoot, console, data_root

__all__ = ["check"]


def check(
    name: Annotated[
        str, typer.Argument(help="A method, balancer, dataset or backbone, perhaps with options, e.g. mine@vgg11.")
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Only checks with this word in their names, e.g. absent; may be repeated.", metavar="WORD"
        ),
    ] = None,
    root: DataRoot = None,
) -> None:
    """Check that a plug-in keeps what the contract promises; exit code 1 if it does not."""
    from rich.markup import escape

    from mtbench import registry
    from mtbench.conformance import examine
    from mtbench.plan.parse import parse_method

    out, faults = console(), 0
    for result in examine(name, root=data_root(root), only=only or ()):
        mark = "[bold red]not so[/]" if result.fault else "[green]ok[/]    "
        out.print(f"{mark}  {escape(result.check)}", soft_wrap=True, highlight=False)
        if result.fault:
            faults += 1
            out.print(f"        {escape(result.fault)}", soft_wrap=True, highlight=False)
        if result.left_out:
            out.print(f"{result.left_out} checks that rest on this one are left out.", highlight=False)
    if faults:
        failed = "1 check failed" if faults == 1 else f"{faults} checks failed"
        out.print(f"{failed}; docs/checks.md says what each proves, and what to do.", highlight=False)
        raise typer.Exit(1)
    if only:
        return
    out.print(f"'{escape(name)}' conforms.", highlight=False)
    if name.partition(":")[0] in registry.entries("method"):
        reference = parse_method(registry.reference("method")).title
        command = f"mtbench run --methods {name},{reference} --dataset mmnist2 --quick"
        out.print(f"Next, compare it: {escape(command)}", soft_wrap=True, highlight=False)
