"""``mtbench list`` and ``doctor``: installed plug-ins, and their state."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mtbench import registry
from mtbench.cli.base import completion
from mtbench.cli.base.shared import DataRoot, data_root, grid
from mtbench.cli.base.shared import console as open_console
from mtbench.errors import MtbenchError, UsageError, did_you_mean

__all__ = ["doctor", "list_"]


KINDS = tuple(f"{kind}s" for kind in registry.GROUPS)
"""Kinds of plug-ins that can be listed, in the order in which they are."""


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help=f"List this kind alone: {', '.join(KINDS)}.", metavar="KIND", autocompletion=completion.kinds
        ),
    ] = None,
) -> None:
    """List the installed methods, balancers, datasets, backbones and other plug-ins, with a line for each."""
    from rich.markup import escape

    if kind is not None and f"{kind.removesuffix('s')}s" not in KINDS:
        raise UsageError(f"KIND is '{kind}'.", mend=did_you_mean(kind, KINDS), allowed=f"Allowed: {', '.join(KINDS)}.")
    console, table = open_console(), grid("name", "description", "from")
    for one in registry.GROUPS if kind is None else [kind.removesuffix("s")]:
        if kind is None:
            if table.row_count:
                table.add_row()
            table.add_row(f"[bold]{one}s[/]")
        for entry in registry.entries(one).values():
            lines = [registry.summary(entry).replace("``", "")]
            if extra := registry.lacking(entry):
                lines.append(f"not installed: {_install(extra)}")
            # On a screen the command has a line of its own, not to be wrapped; elsewhere an entry stays in one line.
            table.add_row(entry.name, escape(("\n" if console.is_terminal else " ").join(lines)), escape(entry.origin))
    console.print(table)


def doctor(data_root_: DataRoot = None) -> None:
    """Import every plug-in and describe this machine; the exit code is 1 if a plug-in is broken."""
    from rich.markup import escape

    console, broken = open_console(), 0
    table = grid("kind", "name", "from", "state")
    for kind in registry.GROUPS:
        for entry in registry.entries(kind).values():
            state, is_broken = _state(entry)
            broken += is_broken
            table.add_row(kind, entry.name, escape(entry.origin), escape(state))
    console.print(table)
    machine = grid("on this machine", "")
    for row in _machine(data_root(data_root_)):
        machine.add_row(*map(escape, row))
    console.print(machine)
    console.print(
        "every plug-in works" if not broken else f"{broken} broken: reinstall or upgrade the package in column 'from'"
    )
    if broken:
        raise typer.Exit(1)


def _state(entry: registry.PluginEntry) -> tuple[str, bool]:
    """Return the state of a plug-in, and True if it is broken; one that lacks an extra is not."""
    extra = registry.lacking(entry)
    try:
        registry.load(entry.kind, entry.name)
        registry.role(entry.kind, entry.name)
    except MtbenchError as error:
        if not extra:
            cause = error.__cause__
            reason = str(error) if cause is None else f"{type(cause).__name__}: {cause}"
            return f"broken: {' '.join(reason.split())}", True
    return (f"needs {_install(extra)}" if extra else "ok"), False


def _install(extra: str) -> str:
    return f"pip install {shlex.quote(extra)}"


def _machine(root: Path) -> list[tuple[str, str]]:
    import shutil

    import torch

    from mtbench.train.machine.numerics import numerics

    found = numerics(torch.device("cpu"))
    devices = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return [
        ("python", sys.version.split()[0]),
        ("torch", torch.__version__),
        ("libraries", ", ".join(f"{name} {version}" for name, version in found.libraries.items() if name != "torch")),
        ("processor", found.processor),
        ("instruction sets", f"torch {found.torch_instructions}, oneDNN {found.onednn_instructions}"),
        ("cores", str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())),
        ("CUDA devices", ", ".join(devices) or "none"),
        ("data root", f"{root} ({'exists' if root.is_dir() else 'does not exist yet'})"),
        ("pdflatex", shutil.which("pdflatex") or "not found (needed only to compile tables)"),
    ]
