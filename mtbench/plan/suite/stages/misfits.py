"""Rows of the second stage of a suite's grid that do not fit its first stage."""

from collections.abc import Iterator, Sequence

import torch

from mtbench.contract import GradientBalancer, Task
from mtbench.errors import MtbenchError
from mtbench.plan.chosen import DatasetChoice, MethodChoice
from mtbench.plan.grid import all_methods
from mtbench.plan.parse import TAKES, parse_dataset, parse_method
from mtbench.plan.suite.parts import Grid
from mtbench.plan.suite.settings import rendered
from mtbench.plan.suite.stages.second_stage import second_stage
from mtbench.plan.suite.suite import Suite
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["stage_misfits"]


def stage_misfits(suite: Suite, numbers: Sequence[int], lines: Lines) -> Iterator[Fault]:
    """Yield a fault for each row of the second stage whose first stage is no row of the grid, or has no task weights.

    Args:
        suite: a suite whose methods and datasets exist.
        numbers: the positions of the parts of the grid in the file.
        lines: the lines of the file.
    """
    for number, part in zip(numbers, suite.grid, strict=True):
        for name in part.methods:
            if (stage := second_stage(name)) is None:
                continue
            if why := _why_not(suite, part, name, stage.first):
                yield Fault(line=lines.find(("grid", number, "methods"), name), text=why)


def _why_not(suite: Suite, part: Grid, name: str, text: str) -> str:
    """Return why a row cannot take its weights from a method; empty if it can."""
    try:
        first = parse_method(text)
    except MtbenchError as cause:
        return f"'{name}' takes its weights from '{text}'. {cause}"
    for dataset in map(parse_dataset, part.datasets):
        for variation in map(rendered, part.variations()):
            if not _is_there(suite, first, dataset, variation):
                settings = "".join(f", {key}={value}" for key, value in variation.items())
                return (
                    f"'{name}' takes its weights from '{text}', which no [[grid]] runs on dataset "
                    f"'{dataset.choice}'{settings}. Add it to one, with the same 'set' and 'vary'."
                )
        if not _has_weights(first, dataset.tasks()):
            return (
                f"'{name}' takes its weights from '{text}', and balancer '{first.balancer_choice}' has none: its "
                f"gradient is no weighted sum of those of the tasks. Name another balancer behind '{TAKES}='."
            )
    return ""


def _is_there(suite: Suite, first: MethodChoice, dataset: DatasetChoice, variation: dict[str, str]) -> bool:
    """Return whether the grid has a method on a dataset under a variation, by whatever text."""
    return any(
        dataset.choice in [parse_dataset(each).choice for each in part.datasets]
        and variation in [rendered(each) for each in part.variations()]
        and any(_parts(parse_method(each), dataset) == _parts(first, dataset) for each in _own_methods(part))
        for part in suite.grid
    )


def _own_methods(part: Grid) -> Iterator[str]:
    """Yield the methods of a part of the grid that have weights of their own."""
    for name in part.methods:
        if name == "all":
            yield from all_methods()
        elif second_stage(name) is None:
            yield name


def _parts(method: MethodChoice, dataset: DatasetChoice) -> tuple[str, ...]:
    backbone = method.on(dataset.dataset_class.default_backbone)
    changed = sorted(f"{name}={value}" for name, value in method.settings.items())
    return str(method.network_choice), str(method.balancer_choice), str(backbone.choice), *changed


def _has_weights(method: MethodChoice, tasks: Sequence[Task]) -> bool:
    """Return whether a step of a balancer is described by task weights, found by one step on made-up gradients."""
    balancer = method.balancer_class(method.balancer_options, tasks)
    if not isinstance(balancer, GradientBalancer):
        return True
    with torch.random.fork_rng(devices=[]):
        try:
            combined = balancer.combine(torch.eye(len(tasks)), torch.ones(len(tasks)), torch.arange(len(tasks)))
        except Exception:  # a balancer that needs more than one step: its runs will tell
            return True
    return combined.weights is not None
