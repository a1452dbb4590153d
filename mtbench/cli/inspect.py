"""``mtbench list``, ``info`` and ``doctor``: what is installed, what it is, and whether it works."""

import dataclasses
import inspect
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtbench import registry
from mtbench.cli.shared import DataRoot, data_root
from mtbench.errors import MtbenchError, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["doctor", "info", "list_"]


class Kind(StrEnum):
    """What `list` can list."""

    methods = "methods"
    datasets = "datasets"
    balancers = "balancers"
    backbones = "backbones"


def list_(kind: Annotated[Kind, typer.Argument(help="What to list.")]) -> None:
    """List what is installed, a line each. Imports no plug-in."""
    table = _table("name", "what it is", "from")
    for entry in registry.entries(kind.value.removesuffix("s")).values():
        table.add_row(entry.name, registry.summary(entry), entry.origin)
    _console().print(table)


def info(
    name: Annotated[str, typer.Argument(help="A method, balancer, dataset or backbone, perhaps with options.")],
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Count a method's parameters for this dataset.", metavar="NAME")
    ] = None,
) -> None:
    """Show what something is: its paper, its options and their defaults, its parameters part by part."""
    bare = name.partition("@")[0].partition("+")[0].partition(":")[0]
    kinds = [kind for kind in registry.GROUPS if bare in registry.entries(kind)]
    if not kinds:
        everything = {known for kind in registry.GROUPS for known in registry.entries(kind)}
        raise UsageError(
            f"nothing called '{bare}' is installed.",
            mend=did_you_mean(bare, everything),
            allowed="`mtbench list methods` (datasets, balancers, backbones) shows what there is.",
        )
    if dataset is not None and "method" not in kinds:
        raise UsageError(f"'{bare}' is a {kinds[0]}, and --dataset counts the parameters of a method.")
    console = _console()
    for kind in kinds:
        _describe(console, kind, bare)
        if kind == "dataset":
            _describe_dataset(console, name)
        if kind == "method":
            _describe_parts(console, name, bare)
            _count(console, name, dataset)


def doctor(data_root_: DataRoot = None) -> None:
    """Import every plug-in and look at this machine; exit code 1 if something is broken."""
    console, broken = _console(), 0
    table = _table("kind", "name", "from", "state")
    for kind in registry.GROUPS:
        for entry in registry.entries(kind).values():
            try:
                registry.load(kind, entry.name)
                state = "ok"
            except MtbenchError as error:
                state, broken = f"broken: {error.__cause__ or error}", broken + 1
            table.add_row(kind, entry.name, entry.origin, state)
    console.print(table)
    machine = _table("on this machine", "")
    for row in _machine(data_root(data_root_)):
        machine.add_row(*row)
    console.print(machine)
    console.print("all well" if not broken else f"{broken} broken: reinstall or upgrade the package in column 'from'")
    if broken:
        raise typer.Exit(1)


def _describe(console: "Console", kind: str, name: str) -> None:
    plugin: Any = registry.load(kind, name)
    console.print(f"[bold]{name}[/], a {kind} of {registry.find(kind, name).origin}\n", highlight=False)
    console.print(_reflowed(inspect.getdoc(plugin) or "(it has no docstring)"), markup=False, highlight=False)
    if plugin.paper:
        console.print(f"\nPaper: {plugin.paper}", markup=False, highlight=False)
    if hasattr(plugin, "stands_for"):
        console.print(f"\nStands for {plugin.stands_for}, whose options it takes.\n", markup=False, highlight=False)
        return
    fields = dataclasses.fields(plugin.Options)
    if fields:
        from mtbench.contract.options import render_value

        table = _table("option", "default", "allowed", "what it does")
        for field in fields:
            meta = field.metadata
            allowed = " ".join(meta["choices"]) or _range(meta["low"], meta["high"]) or _type_name(field.default)
            default: Any = field.default
            table.add_row(field.name, render_value(default), allowed, meta["help"])
        console.print()
        console.print(table)
    for preset, values in getattr(plugin, "presets", {}).items():
        text = ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"
        console.print(f"preset={preset}: {text}", markup=False, highlight=False)


def _describe_parts(console: "Console", name: str, bare: str) -> None:
    """The parts of a composition or an alias beside the one that the name begins with."""
    from mtbench.plan.parse import parse_method

    method = parse_method(name)
    parts = {"method": method.network_choice.name, "balancer": method.balancer_choice.name}
    if method.backbone:
        parts["backbone"] = method.backbone.choice.name
    for kind, part in parts.items():
        if part != bare and (kind != "balancer" or part != method.network.balancer):
            _describe(console, kind, part)


def _describe_dataset(console: "Console", name: str) -> None:
    from mtbench.contract import Protocol
    from mtbench.contract.options import render_value
    from mtbench.plan.parse import parse_dataset

    choice = parse_dataset(name)
    tasks = ", ".join(task.name for task in choice.tasks())
    console.print(f"\nTasks: {tasks}\nBackbone: {choice.dataset.backbone}", markup=False, highlight=False)
    protocols = choice.dataset.protocols.values()
    table = _table("protocol", *(protocol.name for protocol in protocols), "what it is")
    for field in dataclasses.fields(Protocol):
        if field.name != "name":
            values = (render_value(getattr(protocol, field.name)) for protocol in protocols)
            table.add_row(field.name, *values, field.metadata["help"])
    console.print(table)


def _count(console: "Console", method: str, dataset: str | None) -> None:
    if dataset is None:
        console.print(f"\nParameters and work: mtbench info {method} --dataset NAME", highlight=False)
        return
    import torch

    from mtbench.plan.grid import Request, plan
    from mtbench.plan.parse import parse_backbone, parse_dataset
    from mtbench.train.assemble import build, method_of
    from mtbench.train.cost import count_macs, parts

    spec = plan(Request(methods=[method], datasets=[dataset], settings={}, seeds=[0]))[0]
    opened = parse_dataset(dataset).open(Path())
    network = build(method_of(spec), parse_backbone(str(spec.backbone)).setup(opened, seed=0))
    count = len(opened.tasks)
    table = _table("part", "weights only", "with biases", "for each task")
    for part in parts(network):
        share = f"{part.weights // count:,} weights" if part.per_task else ""
        table.add_row(part.name, f"{part.weights:,}", f"{part.total:,}", share)
    weights, total = (sum(getattr(part, field) for part in parts(network)) for field in ("weights", "total"))
    table.add_row("[bold]whole[/]", f"[bold]{weights:,}[/]", f"[bold]{total:,}[/]", "")
    console.print(f"\n{spec.titles.method} on {dataset} ({count} tasks), backbone {spec.backbone}", highlight=False)
    console.print(table)
    macs = count_macs(network.eval(), torch.zeros(1, *opened.input_shape))
    console.print(
        f"Multiply-accumulates for one input: {macs.per_task:,} to answer one task, {macs.per_input:,} to answer all.",
        highlight=False,
    )


def _machine(root: Path) -> list[tuple[str, str]]:
    import os
    import shutil

    import torch

    devices = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return [
        ("python", sys.version.split()[0]),
        ("torch", torch.__version__),
        ("cores", str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())),
        ("CUDA devices", ", ".join(devices) or "none"),
        ("data root", f"{root} ({'there' if root.is_dir() else 'not there yet'})"),
        ("pdflatex", shutil.which("pdflatex") or "not found (needed only to compile tables)"),
    ]


def _reflowed(doc: str) -> str:
    """A docstring with each paragraph in one line, to be wrapped to the terminal; what is indented stays as it is."""
    paragraphs = doc.split("\n\n")
    return "\n\n".join(text if text.startswith(" ") else " ".join(text.splitlines()) for text in paragraphs)


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"


def _type_name(default: object) -> str:
    return {bool: "true false", tuple: "a/b/...", str: "text"}.get(type(default), "number")


def _console() -> "Console":
    from rich.console import Console

    return Console()


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
