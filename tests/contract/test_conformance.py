"""Facts for `mtbench check` stand in one place, and are checked where they are declared."""

import ast
import dataclasses
from pathlib import Path

import pytest

import mtbench
from mtbench import registry
from mtbench.contract import Backbone, Balancer, Classification, Conformance, Network, Task
from mtbench.contract.options import parse_options
from mtbench_methods.balancers.loss_weights.fixed import Fixed

FACTS = {field.name for field in dataclasses.fields(Conformance)}


@pytest.mark.parametrize("facts", [{"learns_within": 0}, {"learns_to": 0.0}, {"learns_to": 101.0}])
def test_what_nothing_can_keep_is_refused(facts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{min(facts)} is {facts[min(facts)]:g}; it is a"):
        Conformance(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["method", "balancer", "backbone"])
def test_no_plugin_has_such_a_fact_outside_of_it(kind: str) -> None:
    for name, entry in registry.entries(kind).items():
        if entry.distribution == "mtbench":
            plugin = registry.load(kind, name)
            assert not {fact for base in plugin.__mro__ for fact in vars(base)} & FACTS, name
    assert all(base.conformance == Conformance() for base in (Network, Balancer, Backbone))


def test_nothing_but_the_check_reads_it() -> None:
    house = Path(mtbench.__file__).parent
    readers = {
        path.relative_to(house).parts[0]
        for path in house.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "conformance"
    }
    assert readers == {"conformance"}


@pytest.mark.parametrize("count", [1, 2, 9])
def test_the_example_of_fixed_weights_is_one_weight_per_task_of_sum_1(count: int) -> None:
    tasks = [Task(name=str(index), kind=Classification(classes=2)) for index in range(count)]
    weights = parse_options(Fixed.Options, Fixed.conformance.example(tasks), owner="fixed").weights
    assert len(set(weights)) == count
    assert sum(weights) == pytest.approx(1, abs=1e-5)
