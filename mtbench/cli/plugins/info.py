"""``mtbench info``: description, options and size of a plug-in."""

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mtbench import registry
from mtbench.cli.base import completion
from mtbench.cli.base.shared import console as open_console
from mtbench.cli.base.shared import grid, whole_number
from mtbench.cli.plugins.count import count_for_dataset, count_for_input, parse_shape
from mtbench.errors import UsageError, did_you_mean, shortlist

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.contract import PeerConvention, TrainingProtocol

__all__ = ["info"]

COUNT = "Parameters and multiply-accumulates of a method"


def info(
    name: Annotated[
        str,
        typer.Argument(
            help="A method, balancer, dataset, backbone or other plug-in, with options if wanted, e.g. td:channels=6.",
            metavar="NAME",
            autocompletion=completion.names,
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            "--datasets",
            help="Count the parameters of a method for this dataset.",
            metavar="NAME",
            rich_help_panel=COUNT,
            autocompletion=completion.datasets,
        ),
    ] = None,
    backbone: Annotated[
        str,
        typer.Option(
            "--backbone",
            help="Backbone to count on, e.g. vgg11:width=.25; by default the dataset's own.",
            metavar="NAME",
            rich_help_panel=COUNT,
            autocompletion=completion.backbones,
        ),
    ] = "",
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Count for images of this shape instead, e.g. 3x224x224.",
            metavar="CxHxW",
            rich_help_panel=COUNT,
        ),
    ] = None,
    tasks: Annotated[
        int, whole_number("--tasks", "With --input: number of tasks.", limit="tasks", rich_help_panel=COUNT)
    ] = 2,
    classes: Annotated[
        int,
        whole_number(
            "--classes", "With --input: number of classes of each task.", low=2, limit="classes", rich_help_panel=COUNT
        ),
    ] = 10,
) -> None:
    """Show the paper, the options and the defaults of a plug-in; of a method its number of parameters, part by part."""
    from mtbench.plan.parse import parse_method

    bare = name.partition("@")[0].partition("+")[0].partition(":")[0]
    kinds = [kind for kind in registry.GROUPS if bare in registry.entries(kind)]
    if not kinds:
        everything = {known for kind in registry.GROUPS for known in registry.entries(kind)}
        raise UsageError(
            f"nothing called '{bare}' is installed.",
            mend=registry.elsewhere(bare, instead_of="") or did_you_mean(bare, everything),
            allowed="`mtbench list` shows what is installed.",
        )
    if (dataset is not None or input_ is not None or backbone) and "method" not in kinds:
        raise UsageError(
            f"'{bare}' is a {kinds[0]}, and --dataset, --backbone and --input count the parameters of a method."
        )
    if dataset is not None and input_ is not None:
        raise UsageError("--dataset and --input were both given.", mend="Count for one of them.")
    full = f"{name}@{backbone}" if backbone and "@" not in name else name
    if "method" in kinds:
        parse_method(full)
    if backbone and dataset is None and input_ is None:
        raise UsageError(
            f"--backbone {backbone} changes only what is counted, and nothing is counted.",
            mend="Add --dataset NAME or --input CxHxW.",
        )
    console = open_console()
    for kind in kinds:
        _describe(console, kind, bare)
        if kind == "dataset":
            _describe_dataset(console, name)
        if kind == "method":
            _describe_parts(console, name, bare)
            _describe_search(console, name)
            if input_ is not None:
                count_for_input(console, full, parse_shape(input_), tasks, classes)
            elif dataset is not None:
                count_for_dataset(console, full, dataset)
            else:
                console.print(f"\nParameters and work: mtbench info {name} --dataset NAME", highlight=False)


def _describe(console: "Console", kind: str, name: str) -> None:
    from mtbench.contract.options import Value, render_value
    from mtbench.contract.options.space import render_space
    from mtbench.engines.screen.say import say

    plugin: Any = registry.load(kind, name)
    article = "an" if kind[0] in "aeiou" else "a"
    console.print(f"[bold]{name}[/], {article} {kind} of {registry.find(kind, name).origin}\n", highlight=False)
    console.print(_reflowed(inspect.getdoc(plugin) or "(it has no docstring)"), markup=False, highlight=False)
    if kind == "exhibit":
        shown = {"report": "every report", "suite": "reports of suites", "request": f'suites with figures = ["{name}"]'}
        console.print(f"\nShown in: {shown[plugin.scope]}", markup=False, highlight=False)
        return
    if getattr(plugin, "paper", ""):
        console.print()
        say(console, f"Paper: {plugin.paper}", markup=False)
    if hasattr(plugin, "stands_for"):
        console.print(f"\nStands for {plugin.stands_for}, and takes its options.\n", markup=False, highlight=False)
        return
    groups = [plugin.Options]
    if kind == "dataset":
        from mtbench.plan.variation import Variation

        groups.append(Variation)
    if kind == "tracker":
        from mtbench.trackers.tracker import Place

        groups.append(Place)
    fields = [field for group in groups for field in dataclasses.fields(group)]
    if fields:
        from rich.markup import escape

        is_searched = any(field.metadata.get("search") for field in fields)
        table = grid("option", "default", "allowed", *(["searched"] if is_searched else []), "description")
        for field in fields:
            meta, default = field.metadata, cast(Value, field.default)
            bounds = _range(meta.get("low"), meta.get("high"))
            cells = [render_value(default), " ".join(meta.get("choices", ())) or bounds or _type_name(default)]
            if is_searched:
                cells.append(render_space(meta["search"]) if meta.get("search") else "")
            table.add_row(field.name, *map(escape, (*cells, meta.get("help", ""))))
        console.print()
        console.print(table)
    of_protocol = getattr(plugin, "protocol_presets", {})
    own = getattr(plugin, "presets", {})
    for preset, values in {**of_protocol, **own}.items():
        values = values if preset in own else {}
        text = ", ".join(f"{key}={render_value(value)}" for key, value in values.items()) or "the defaults"
        for key, value in getattr(plugin, "backbone_presets", {}).get(preset, {}).items():
            text += f", and {key}={render_value(value)} of a backbone that has it"
        for key, value in of_protocol.get(preset, {}).items():
            text += f", and {key}={render_value(value)} of the training protocol for this method alone"
        console.print(f"preset={preset}: {text}", markup=False, highlight=False)


def _describe_parts(console: "Console", name: str, bare: str) -> None:
    """Describe the parts of a composition or an alias, without the one that the name begins with."""
    from mtbench.plan.parse import default_balancer, parse_method

    method = parse_method(name)
    parts = {"method": method.network_choice.name, "balancer": method.balancer_choice.name}
    if method.backbone:
        parts["backbone"] = method.backbone.choice.name
    for kind, part in parts.items():
        if part != bare and (kind != "balancer" or part != default_balancer(method.network_class)):
            _describe(console, kind, part)


def _describe_search(console: "Console", name: str) -> None:
    """Print the hyperparameters that a search of the method tries by default."""
    from mtbench.contract import TrainingProtocol
    from mtbench.engines.screen.say import say
    from mtbench.plan.parse import parse_method
    from mtbench.search.axes import default_axes, describe
    from mtbench.search.weighting import searched_method

    plain = parse_method(name)
    try:
        method = searched_method(name, "", {})
    except UsageError:  # a search needs one balancer; its description does not
        method = plain
    space = describe(default_axes(method, TrainingProtocol(), ["first", "last"]))
    tried = ", ".join(f"{axis} {values}" for axis, values in space.items())
    whose = "" if method.title == plain.title else f" (of {method.title})"
    console.print()
    say(console, f"mtbench search --methods {name} tries: {tried}{whose}", markup=False)


def _describe_dataset(console: "Console", name: str) -> None:
    from mtbench.plan.parse import parse_dataset

    choice = parse_dataset(name)
    tasks = shortlist(task.name for task in choice.tasks())
    console.print(f"\nTasks: {tasks}\nBackbone: {choice.dataset_class.default_backbone}", markup=False, highlight=False)
    _describe_protocols(console, list(choice.dataset_class.protocols.values()))
    _describe_conventions(console, choice.dataset_class.conventions)


def _describe_protocols(console: "Console", protocols: "Sequence[TrainingProtocol]") -> None:
    """Print the settings in which training protocols differ from the defaults, then all settings and their defaults."""
    from mtbench.contract import TrainingProtocol
    from mtbench.contract.options import render_value

    default = TrainingProtocol()
    table = grid("protocol", *(protocol.name for protocol in protocols))
    settings = grid("setting", "default", "description")
    for field in dataclasses.fields(TrainingProtocol):
        if field.name == "name":
            continue
        values = [render_value(getattr(protocol, field.name)) for protocol in protocols]
        usual = render_value(getattr(default, field.name))
        if {*values} != {usual}:
            table.add_row(field.name, *values)
        settings.add_row(field.name, usual, field.metadata["help"])
    console.print(table)
    console.print(
        "\nThe table above shows where they differ from these defaults. Each setting is changed with --set:",
        highlight=False,
    )
    console.print(settings)


def _describe_conventions(console: "Console", conventions: "Mapping[str, PeerConvention]") -> None:
    """Print the conventions of published code on the dataset, for ``mtbench report --convention NAME``."""
    from rich.markup import escape

    from mtbench.report.data.conventions.words import facts

    if not conventions:
        return
    found = [facts(convention) for convention in conventions.values()]
    table = grid("convention", *map(escape, conventions))
    for name in found[0]:
        if any(each[name] for each in found):
            table.add_row(name, *(escape(each[name]) for each in found))
    console.print("\nConventions of published code, for mtbench report --convention NAME:", highlight=False)
    console.print(table)


def _reflowed(doc: str) -> str:
    """Return a docstring with each paragraph in one line; indented lines stay as they are.

    Marks of reStructuredText are left out: ``::`` before an indented block, and double backticks.
    """
    paragraphs = [text for text in doc.replace("``", "").split("\n\n") if text != "::"]
    lines = [text if text.startswith(" ") else " ".join(text.splitlines()) for text in paragraphs]
    return "\n\n".join(re.sub(r"::$", ":", line) for line in lines)


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"


def _type_name(default: object) -> str:
    return {bool: "true false", tuple: "a/b/...", str: "text", type(None): "a file"}.get(type(default), "number")
