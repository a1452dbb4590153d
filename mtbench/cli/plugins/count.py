"""The parameters and multiply-accumulates of a method, for ``mtbench info``."""

from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.cli.base.shared import grid
from mtbench.contract.options.limits import LIMITS, in_words, shown
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.contract import Network, Setup
    from mtbench.plan.chosen import MethodChoice

__all__ = ["count_for_dataset", "count_for_input", "parse_shape"]


def count_for_dataset(console: "Console", name: str, dataset: str) -> None:
    """Print the parts and the work of a method on a dataset."""
    from mtbench.plan.counting import outline
    from mtbench.plan.grid import Request, plan

    spec = plan(Request(methods=[name], datasets=[dataset], settings={}, seeds=[0]))[0]
    chosen = spec.resolve()
    setup = chosen.setup(chosen.dataset.open(Path()), seed=0)
    title = f"{spec.titles.method} on {spec.titles.dataset} ({len(setup.tasks)} tasks), backbone {spec.backbone}"
    _count(console, title, outline(chosen.method, setup), chosen.method, setup)


def count_for_input(console: "Console", method: str, shape: tuple[int, ...], tasks: int, classes: int) -> None:
    """Print the parts and the work of a method on images of a shape.

    Raises:
        UsageError: no backbone is named, or the method does not fit.
    """
    from mtbench.contract import Classification, Setup, Task
    from mtbench.plan.counting import outline
    from mtbench.plan.grid import building
    from mtbench.plan.parse import parse_method

    chosen = parse_method(method)
    if chosen.backbone is None:
        raise UsageError("--input needs a backbone.", mend="Name one, as in --backbone lenet.")
    names, kinds = [str(index) for index in range(tasks)], chosen.network_class.kinds
    kind = kinds[0]() if kinds else Classification(classes=classes)
    setup = Setup(
        tasks=tuple(Task(name=name, kind=kind) for name in names),
        backbone_class=chosen.backbone.backbone_class,
        backbone_options=chosen.backbone.options,
        input_shape=shape,
        foreground=True,
        points=True,
        seed=0,
    )
    chosen.network_class.check(chosen.network_options, setup.tasks)
    size = "x".join(map(str, shape))
    with building(chosen, chosen.backbone, f"images {size}"):
        network = outline(chosen, setup)
    of = f"kind {type(kind).__name__}" if kinds else f"{classes} classes"
    _count(console, f"{chosen.title} on images {size} with {tasks} tasks of {of}", network, chosen, setup)


def parse_shape(text: str) -> tuple[int, ...]:
    """Return the shape (C, H, W) in a text such as ``3x224x224``.

    Raises:
        UsageError: the text is not of that form.
    """
    sides = text.lower().split("x")
    most = LIMITS["side"]
    if len(sides) != 3 or not all(side.isdecimal() and len(side) < 9 and 0 < int(side) <= most for side in sides):
        raise UsageError(
            f"--input is '{shown(text)}'.",
            allowed=f"Allowed: channels x height x width, as in --input 3x224x224, each {in_words(1, most)}.",
        )
    return tuple(int(side) for side in sides)


def _count(console: "Console", title: str, network: "Network", method: "MethodChoice", setup: "Setup") -> None:
    """Print a table of the parts of a network with their parameters, and its multiply-accumulates for one input."""
    from mtbench.plan.counting import count_work, parts

    counted, count = parts(network), len(setup.tasks)
    table = grid("part", "weights only", "with biases", "for each task")
    for part in counted:
        per_task = f"{part.weights // count:,} weights" if part.per_task else ""
        table.add_row(part.name, f"{part.weights:,}", f"{part.total:,}", per_task)
    weights, total = sum(part.weights for part in counted), sum(part.total for part in counted)
    table.add_row("[bold]whole[/]", f"[bold]{weights:,}[/]", f"[bold]{total:,}[/]", "")
    console.print(f"\n{title}", highlight=False)
    console.print(table)
    macs = count_work(method, setup)
    console.print(
        f"Multiply-accumulates for one input: {macs.per_task:,} to answer one task, {macs.per_input:,} to answer all.",
        highlight=False,
    )
