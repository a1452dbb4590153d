from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Inputs, Network, Setup, Split
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import assemble
from mtbench.train.diagnostics.features import find_head, gather

NETWORKS = [
    *("single", "uniform", "chmod", "td", "mtan", "cross-stitch", "mmoe", "ple", "routing", "astmt", "superposition"),
]


def assembled(method: str, dataset: str = "toy-all") -> tuple[Network, Split]:
    spec = plan(Request(methods=[method], datasets=[dataset], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    return run.network, run.splits["test"]


def seen(network: Network, split: Split, index: int) -> dict[str, Tensor]:
    head = find_head(network, split, index)
    assert head is not None
    return dict(gather(network, split, index, head).by_depth)


@pytest.mark.parametrize("method", ["uniform", "toy-dropout"])  # the second runs every task's head to answer for one
@pytest.mark.parametrize("index", [0, 1])
def test_features_are_what_enters_the_head_of_the_task_and_its_last_layer(method: str, index: int) -> None:
    network, split = assembled(method)
    found = seen(network, split, index)
    network.eval()
    head: Any = network.get_submodule(f"branches.{index}")
    with torch.no_grad():
        z = network.get_submodule("backbone")(split.batch(torch.arange(len(split))).inputs)
        hidden = head[1](head[0](z))
    assert torch.allclose(found["representation"], z, atol=1e-6)
    assert torch.allclose(found["hidden"], hidden, atol=1e-6)


@pytest.mark.parametrize("method", NETWORKS)
def test_every_network_has_a_representation_and_a_last_hidden_layer(method: str) -> None:
    network, split = assembled(method)
    for index in range(2):
        head = find_head(network, split, index)
        assert head is not None
        found = gather(network, split, index, head)
        assert {depth: value.shape for depth, value in found.by_depth.items()} == {
            "representation": (48, 50),
            "hidden": (48, 50),
        }
        inputs = split.batch(torch.arange(48)).inputs
        assert torch.equal(found.classes, network.eval().task_output(inputs, index).argmax(1))


def test_a_head_of_one_layer_has_no_hidden_one() -> None:
    network, split = assembled("uniform@resnet18:width=.1")
    assert seen(network, split, 0).keys() == {"representation"}


def test_an_answer_that_no_linear_layer_gives_has_no_head() -> None:
    network, split = assembled("uniform", "toy-maps")
    assert find_head(network, split, 0) is None


def test_frozen_weights_hide_no_head() -> None:
    network, split = assembled("uniform")
    network.requires_grad_(requires_grad=False)
    assert seen(network, split, 1).keys() == {"representation", "hidden"}
    assert not any(parameter.requires_grad for parameter in network.parameters())


class OneHead(AllTasksNetwork):
    """One head that answers for every task in turn, of which the answers are scaled, behind a layer per task."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(None, setup)
        self.enter = nn.ModuleList([nn.Linear(784, 6), nn.Linear(784, 6)])
        self.head = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert isinstance(inputs, Tensor)
        return [2 * self.head(enter(inputs.flatten(1))) for enter in self.enter]


@pytest.mark.parametrize("index", [0, 1])
def test_a_head_that_runs_for_every_task_is_heard_when_it_runs_for_the_one(index: int) -> None:
    spec = plan(Request(methods=["uniform"], datasets=["toy-all"], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    network, split = OneHead(run.setup), run.splits["test"]
    inputs = split.batch(torch.arange(len(split))).inputs
    assert isinstance(inputs, Tensor)
    with torch.no_grad():
        entered = network.enter[index](inputs.flatten(1))
        hidden = network.head[:2](entered)
    found = seen(network, split, index)
    assert torch.allclose(found["representation"], entered, atol=1e-6)
    assert torch.allclose(found["hidden"], hidden, atol=1e-6)
