"""Budgets of training: how a reference method is trained so that it has one budget of the certified method.

- *epochs*: the same epochs over the same examples, each method with as many labels as its network is made for.
- *labels*: the same epochs, and as many labels of each example in a step: one, drawn at random, or all.
- *MACs*: the fewest epochs in which the reference spends at least 99 % of the multiply-accumulates in forward passes. A
  backward pass takes about twice as many as its forward pass; that some balancers make one for each task is not
  counted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mtbench.plan.counting import count_work
from mtbench.plan.spec import RunSpec

__all__ = ["Pass", "budgets", "pass_of"]

_ENOUGH = 0.99
"""The fraction of the method's multiply-accumulates that counts as equal."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """The training of a method, by one example in one epoch.

    Attributes:
        draws_one: True if one label of an example is drawn at each step, False if all are used.
        per_example: multiply-accumulates of all forward passes of an example and an epoch.
    """

    draws_one: bool
    per_example: int


def pass_of(spec: RunSpec) -> Pass:
    """Count the training of a run."""
    chosen = spec.resolve()
    dataset = chosen.dataset.open(Path())
    network, balancer = chosen.method.network_class, chosen.method.balancer_class
    work = count_work(chosen.method, chosen.setup(dataset, seed=0))
    draws = spec.protocol.draws_one_task(native=network.one_task)
    draws = draws or any(task.kind.one_task_per_example for task in dataset.tasks)
    times = (1 + balancer.forwards) * max(1, len(network.phases))
    example = work.per_task if network.one_task and draws else work.per_input
    return Pass(draws_one=draws, per_example=example * times)


def budgets(own: RunSpec, reference: RunSpec) -> list[tuple[Mapping[str, str], tuple[str, ...]]]:
    """Return the ways in which a reference is trained beside a method: changed settings, and the budgets held equal.

    A way that holds several budgets comes once.

    Args:
        own: a run of the method.
        reference: a run of the reference under the same training protocol.
    """
    mine, its = pass_of(own), pass_of(reference)
    asked: dict[str, dict[str, str]] = {"epochs": {}, "labels": {}, "MACs": {}}
    if mine.draws_one != its.draws_one:
        asked["labels"] = {"tasks_per_image": "one" if mine.draws_one else "all"}
    epochs = reference.protocol.epochs
    if its.per_example and mine.per_example:
        needed = math.ceil(_ENOUGH * own.protocol.epochs * mine.per_example / its.per_example)
        asked["MACs"] = {"epochs": str(needed)} if needed != epochs else {}
    ways: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for budget, settings in asked.items():
        ways.setdefault(tuple(settings.items()), []).append(budget)
    return [(dict(settings), tuple(equal)) for settings, equal in ways.items()]
