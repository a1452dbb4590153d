"""``mtbench list`` and ``doctor``: what is installed, and whether it works."""

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mtbench import registry
from mtbench.cli.shared import DataRoot, data_root, grid
from mtbench.cli.shared import console as open_console
from mtbench.errors import MtbenchError

__all__ = ["doctor", "list_"]


class Kind(StrEnum):
    """Kinds that `list` can list, in the order in which it does."""

    methods = "methods"
    balancers = "balancers"
    datasets = "datasets"
    backbones = "backbones"
    exhibits = "exhibits"


def list_(kind: Annotated[Kind | None, typer.Argument(help="What to list, if not everything.")] = None) -> None:
    """List what is installed, a line each. Imports no plug-in."""
    from rich.markup import escape

    console, table = open_console(), grid("name", "what it is", "from")
    for one in Kind if kind is None else [kind]:
        if kind is None:
            if table.row_count:
                table.add_row()
            table.add_row(f"[bold]{one.value}[/]")
        for entry in registry.entries(one.value.removesuffix("s")).values():
            lines = [registry.summary(entry)]
            if extra := registry.lacking(entry):
                lines.append(f"not installed: {_install(extra)}")
            # On a screen the command has a line of its own, not to be wrapped; elsewhere an entry stays in one line.
            table.add_row(entry.name, escape(("\n" if console.is_terminal else " ").join(lines)), escape(entry.origin))
    console.print(table)


def doctor(data_root_: DataRoot = None) -> None:
    """Import every plug-in and look at this machine; exit code 1 if something is broken."""
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
    console.print("all well" if not broken else f"{broken} broken: reinstall or upgrade the package in column 'from'")
    if broken:
        raise typer.Exit(1)


def _state(entry: registry.PluginEntry) -> tuple[str, bool]:
    """Return the state of a plug-in, and whether it is broken; to lack what can be installed is not to be broken."""
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

    from mtbench.train.numerics import numerics

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
        ("data root", f"{root} ({'there' if root.is_dir() else 'not there yet'})"),
        ("pdflatex", shutil.which("pdflatex") or "not found (needed only to compile tables)"),
    ]
