"""Every kind of task is trained by every network that gives its layout, under balancers of each sort."""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.contract import Network
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.store.record import TaskResult
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import evaluate
from mtbench.train.loop import fit
from tests.builders.keepers import Memory
from tests.train.runs import CPU, spec_of

TOYS = ("toy-all", "toy-partial", "toy-numbers", "toy-maps", "toy-surfaces", "toy-triplets", "toy-retrieval")
BALANCERS = ("uniform", "uncertainty", "mgda", "mgda-ub")  # of losses (two), of gradients, of the representation
NETWORKS = [name for name in registry.entries("method") if issubclass(registry.load("method", name), Network)]
OURS = [name for name in NETWORKS if registry.find("method", name).distribution == "mtbench"]


def methods(network: str, toy: str) -> list[str]:
    """Return the network with each balancer that works on it and on the toy."""
    found = []
    for balancer in BALANCERS:
        with suppress(UsageError):
            found.append(spec_of(f"{network}+{balancer}", toy).titles.method)
    return found


def is_for(network: str, toy: str) -> bool:
    """Return True if the network is for the kinds of the toy's tasks."""
    kinds = parse_method(network).network_class.kinds
    return not kinds or all(isinstance(task.kind, kinds) for task in parse_dataset(toy).tasks())


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("network", OURS)
def test_every_network_learns_every_kind_of_its_layouts(network: str, toy: str) -> None:
    tasks = parse_dataset(toy).tasks()
    if not is_for(network, toy):
        assert methods(network, toy) == []
        return
    assert {task.kind.layout for task in tasks} <= parse_method(network).network_class.layouts
    assert methods(network, toy)
    for method in methods(network, toy):
        spec = spec_of(method, toy, epochs="3", images="48")
        made = assemble(spec, root=Path(), device=CPU)
        before = evaluate(made.network, made.splits["train"])
        fitted = fit(made, spec.protocol, keeper=Memory(), points=())
        after = fitted.curve[-1].results["train"]
        assert total(after) < total(before), method
        for task in tasks:
            result = fitted.final["test"].results[task.name]
            assert list(result.metrics) == [metric.name for metric in task.kind.metrics]
            assert all(map(math.isfinite, result.metrics.values())), method


def total(results: Mapping[str, TaskResult]) -> float:
    return sum(result.loss for result in results.values() if result.count)


def test_a_network_that_gives_no_maps_is_refused_in_a_sentence_and_left_out_of_all() -> None:
    said: list[str] = []
    specs = plan(Request(methods=["all"], datasets=["toy-maps"], settings={}, seeds=[0]), left_out=said.append)
    assert {spec.network.name for spec in specs} == {name for name in OURS if is_for(name, "toy-maps")}
    refused = "method 'toy-dropout' gives a vector per input, and task 'upper' of dataset 'toy-maps' needs a map."
    assert f"'toy-dropout' is left out on toy-maps: {refused}" in said
    with pytest.raises(UsageError, match=refused):
        spec_of("toy-dropout", "toy-maps")


@pytest.mark.parametrize(("toy", "backbone"), [("toy-maps", "lenet"), ("toy-all", "toy-conv")])
def test_a_backbone_of_the_other_layout_is_refused_in_a_sentence(toy: str, backbone: str) -> None:
    with pytest.raises(UsageError, match=rf"^backbone '{backbone}' gives a \w+ per input, and task 'upper' .* needs a"):
        spec_of(f"branches@{backbone}", toy)
