from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import NoOptions, Setup
from mtbench.train.cost.ledger import count_macs, parts
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.mmoe import Mmoe
from tests.builders.networks import network_in, setup_of


def build(tasks: int = 3, options: str = "", setup: Setup | None = None) -> Mmoe:
    return network_in(setup or setup_of(tasks), Mmoe, "mmoe" + options)


def gate_of(network: Mmoe, index: int) -> nn.Linear:
    return cast(nn.Linear, network.gates[index])


def point_at(network: Mmoe, index: int, offsets: list[float]) -> None:
    """Make the gate of a task softmax(offsets), whatever the image."""
    gate = gate_of(network, index)
    nn.init.zeros_(gate.weight)
    with torch.no_grad():
        gate.bias.copy_(torch.tensor(offsets))


@pytest.mark.parametrize(
    ("tasks", "options", "experts"), [(1, "", 1), (2, "", 2), (9, "", 9), (4, ":experts=2", 2), (2, ":experts=5", 5)]
)
def test_the_parameters_are_those_counted_by_hand(tasks: int, options: str, experts: int) -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks, options))}
    assert counted == {
        "first_stage": (250, 260),
        "experts": (21_000 * experts, 21_070 * experts),
        "gates": (10 * experts * tasks, 11 * experts * tasks),
        "branches": (3_000 * tasks, 3_060 * tasks),
    }


def test_a_task_more_costs_a_gate_and_a_branch_where_the_number_of_experts_is_given() -> None:
    three, four = (sum(part.weights for part in parts(build(tasks, ":experts=3"))) for tasks in (3, 4))
    assert four - three == 30 + 3_000


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_one_expert_is_the_network_with_branches(tasks: int) -> None:
    images = torch.rand(3, 1, 28, 28)
    network = build(tasks, ":experts=1")
    for output, expected in zip(network(images), Branches(NoOptions(), setup_of(tasks))(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-6)


@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
def test_one_expert_is_the_network_with_branches_on_deeper_backbones_too(backbone: str) -> None:
    setup = setup_of(2, backbone, shape=(3, 45, 45))
    network, branches = build(options=":experts=1", setup=setup).eval(), Branches(NoOptions(), setup).eval()
    images = torch.randn(2, 3, 45, 45)
    for output, expected in zip(network(images), branches(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_what_a_task_gives_to_the_experts_adds_up_to_one(tasks: int) -> None:
    network = build(tasks)
    seen, answers = network.consult(torch.rand(5, 1, 28, 28))
    assert answers.shape == (5, tasks, 50)
    for index in range(tasks):
        gate = network.gate(seen, index)
        assert gate.shape == (5, tasks)
        assert (gate >= 0).all()
        assert torch.allclose(gate.sum(1), torch.ones(5))


def test_a_gate_that_is_open_to_one_expert_gives_what_that_expert_says() -> None:
    network = build(3)
    images = torch.rand(4, 1, 28, 28)
    maps = network.first_stage(images)
    for index, expert in enumerate((2, 0, 1)):
        point_at(network, index, [60.0 if number == expert else 0.0 for number in range(3)])
        expected = network.branches[index](network.experts[expert](maps))
        assert torch.allclose(network(images)[index], expected, atol=1e-6)


def test_a_gate_without_a_preference_gives_the_mean_of_the_experts() -> None:
    network = build(3)
    images = torch.rand(4, 1, 28, 28)
    point_at(network, 1, [0.0, 0.0, 0.0])
    maps = network.first_stage(images)
    first, second, third = (expert(maps) for expert in network.experts)
    expected = network.branches[1]((first + second + third) / 3)
    assert torch.allclose(network(images)[1], expected, atol=1e-6)


def test_the_data_flow_on_lenet_is_a_softmax_over_the_means_of_the_first_stage() -> None:
    network = build(2)
    images = torch.rand(3, 1, 28, 28)
    backbone = setup_of(2).build_backbone()
    maps = backbone.levels()[0](images)
    assert maps.shape == (3, 10, 12, 12)
    mean = maps.sum((2, 3)) / 144
    for index, output in enumerate(network(images)):
        logits = mean @ gate_of(network, index).weight.T + gate_of(network, index).bias
        weights = logits.exp() / logits.exp().sum(1, keepdim=True)
        z = weights[:, :1] * backbone(images) + weights[:, 1:] * network.experts[1](maps)
        assert torch.allclose(output, network.branches[index](z), atol=1e-5)


def weights_of(module: nn.Module) -> Tensor:
    return torch.cat([weight.flatten() for weight in module.parameters()])


def test_experts_start_apart_and_one_more_leaves_the_others_as_they_were() -> None:
    two, five = (build(2, f":experts={count}").experts for count in (2, 5))
    assert (len(two), len(five)) == (2, 5)
    for number, expert in enumerate(five):
        if number < 2:
            assert torch.equal(weights_of(expert), weights_of(two[number]))
        assert all(not torch.equal(weights_of(expert), weights_of(other)) for other in list(five)[:number])


def test_a_task_trains_its_gate_and_branch_and_everything_shared() -> None:
    network = build(3)
    for index in range(3):
        network.zero_grad()
        network.task_output(torch.rand(4, 1, 28, 28), index).square().sum().backward()  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters():
            own = not name.startswith(("gates", "branches")) or name.split(".")[1] == str(index)
            assert (parameter.grad is not None and bool(parameter.grad.any())) == own, name


def test_the_last_shared_layer_is_reached_whatever_the_gates() -> None:
    network = build(2)
    point_at(network, 0, [0.0, -1e4])
    point_at(network, 1, [-1e4, 0.0])
    weight = network.last_shared_layer()
    assert weight.shape == (10, 1, 5, 5)
    for index in range(2):
        network.zero_grad()
        network.task_output(torch.rand(4, 1, 28, 28), index).square().sum().backward()  # type: ignore[no-untyped-call]
        assert weight.grad is not None
        assert weight.grad.any()
        shut = network.experts[1 - index]
        assert not any(parameter.grad.any() for parameter in shut.parameters() if parameter.grad is not None)


def test_experts_are_asked_once_for_all_tasks() -> None:
    macs = count_macs(build(4, ":experts=2").eval(), torch.zeros(1, 1, 28, 28))
    experts = 24 * 24 * 250 + 2 * (8 * 8 * 5_000 + 16_000)
    own = 20 + 2 * 50 + 3_000  # gate, mixture, branch
    assert (macs.per_task, macs.per_input) == (experts + own, experts + 4 * own)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_it_fits_a_backbone_of_one_stage_whose_expert_is_the_neck(tasks: int) -> None:
    network = build(setup=setup_of(tasks, "mlp:depth=1"))
    outputs = network(torch.rand(2, 1, 28, 28))
    assert [tuple(output.shape) for output in outputs] == [(2, 10)] * tasks
