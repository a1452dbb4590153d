"""Properties of every balancer of losses, GradNorm and DB-MTL: its state is kept, and absent tasks do no harm."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.loop import fit
from mtbench.train.trained import train
from tests.builders.keepers import Memory

NAMES = ["random", "uncertainty", "uw-so", "dwa", "famo", "gls", "stch", "scale-invariant", "gradnorm", "db-mtl"]
CPU = torch.device("cpu")


def trained(method: str, dataset: str, keeper: Memory) -> Assembly:
    spec = plan(Request(methods=[method], datasets=[dataset], settings={"epochs": "4"}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=CPU)
    fit(run, spec.protocol, keeper=keeper, points=())
    return run


def assert_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value.nan_to_num(), second[name].nan_to_num()), name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["toy-all", "toy-partial"])
def test_a_training_that_was_interrupted_gives_the_bits_of_one_that_was_not(name: str, dataset: str) -> None:
    whole = Memory()
    undisturbed = trained(f"branches+{name}", dataset, whole)
    for epoch in (1, 2, 3):
        keeper = Memory()
        keeper.states = whole.states[:epoch]
        resumed = trained(f"branches+{name}", dataset, keeper)
        assert len(keeper.states) == 4
        assert_same(resumed.network.state_dict(), undisturbed.network.state_dict())
        assert_same(resumed.balancer.state_dict(), undisturbed.balancer.state_dict())


@pytest.mark.parametrize("name", ["uncertainty", "dwa", "famo", "gradnorm", "db-mtl"])
def test_there_is_a_state_to_be_kept(name: str) -> None:
    memory = Memory()
    trained(f"branches+{name}", "toy-all", memory)
    first, last = memory.at(0)["balancer"], memory.at(-1)["balancer"]
    assert any(not torch.equal(first[key], last[key]) for key in first)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("network", ["branches", "td"])
def test_it_trains_where_half_of_the_labels_are_undefined_and_a_task_is_rare(name: str, network: str) -> None:
    run = trained(f"{network}+{name}", "toy-partial", Memory())
    tensors = {**run.network.state_dict(), **run.balancer.state_dict()}
    assert all(value.isfinite().all() for value in tensors.values())


@pytest.mark.parametrize("name", NAMES)
def test_losses_fall(name: str) -> None:
    spec = plan(Request(methods=[f"branches+{name}"], datasets=["toy-all"], settings={"epochs": "6"}, seeds=[0]))[0]
    curve = train(spec, root=Path(), device=CPU, keeper=Memory()).curve
    first, last = (sum(curve[index].train_losses.values()) for index in (0, -1))
    assert last < 0.9 * first


def test_only_famo_looks_at_a_batch_twice() -> None:
    for name, passes in (("famo", 2), ("gradnorm", 1), ("uncertainty", 1)):
        settings = {"epochs": "1"}
        spec = plan(Request(methods=[f"branches+{name}"], datasets=["toy-all"], settings=settings, seeds=[0]))[0]
        assert train(spec, root=Path(), device=CPU, keeper=Memory()).cost.forward_passes == passes * 96
