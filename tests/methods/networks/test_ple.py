from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import NoOptions, Setup
from mtbench.train.cost.ledger import count_macs, parts
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.mmoe import Mmoe
from mtbench_methods.networks.ple import Ple, after_the_first_stage, members
from tests.builders.networks import backbone_of, network_in, setup_of

CONV2, NECK = (5_000, 5_020), (16_000, 16_050)


def build(tasks: int = 3, options: str = "", setup: Setup | None = None) -> Ple:
    return network_in(setup or setup_of(tasks), Ple, "ple" + options)


def images(count: int = 3) -> Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("tasks", "options", "specific", "shared"),
    [(1, "", 1, 1), (2, "", 1, 1), (9, "", 1, 1), (4, ":specific=2:shared=3", 2, 3), (3, ":specific=0:shared=2", 0, 2)],
)
def test_the_parameters_are_those_counted_by_hand(tasks: int, options: str, specific: int, shared: int) -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks, options))}
    own, experts = specific * tasks, specific + shared
    expected = {
        "first_stage": (250, 260),
        "shared_experts": (21_000 * shared, 21_070 * shared),
        "lower_experts": (CONV2[0] * own, CONV2[1] * own),
        "own_experts": (NECK[0] * own, NECK[1] * own),
        "gates": ((10 + 20) * experts * tasks, (11 + 21) * experts * tasks),
        "shared_gates": (10 * (own + shared), 11 * (own + shared)),
        "branches": (3_000 * tasks, 3_060 * tasks),
    }
    assert counted == {name: numbers for name, numbers in expected.items() if any(numbers)}


def linear(module: nn.Module) -> nn.Linear:
    return cast(nn.Linear, module)


def mix(gate: nn.Module, seen: Tensor, *answers: Tensor) -> Tensor:
    """Return the sum of answers, weighted by a softmax of a linear function of the mean over places."""
    layer = linear(gate)
    logits = seen.sum((2, 3)) / seen[0, 0].numel() @ layer.weight.T + layer.bias
    weights = logits.exp() / logits.exp().sum(1, keepdim=True)
    shape = (-1, *[1] * (answers[0].dim() - 1))
    return cast(Tensor, sum(weights[:, place].view(shape) * answer for place, answer in enumerate(answers)))


def test_the_data_flow_on_lenet_is_the_one_stated() -> None:
    network = build(2)
    backbone = setup_of(2).build_backbone()
    conv1, conv2 = backbone.levels()
    lower = [network.lower_experts[0][task][0] for task in range(2)]  # type: ignore[index]
    own = [network.own_experts[task][0] for task in range(2)]  # type: ignore[index]
    first = conv1(images())
    assert first.shape == (3, 10, 12, 12)
    answers = [lower[0](first), lower[1](first), conv2(first)]
    shared = mix(network.shared_gates[0], first, *answers)
    assert shared.shape == (3, 20, 4, 4)
    z_shared = backbone.neck(shared)
    for task, output in enumerate(network(images())):
        below, last = members(network.gates[task])
        maps = mix(below, first, answers[task], answers[2])
        z = mix(last, maps, own[task](maps), z_shared)
        assert torch.allclose(output, network.branches[task](z), atol=1e-5)


@pytest.mark.parametrize("tasks", [1, 2, 9])
@pytest.mark.parametrize("experts", [1, 3])
def test_one_level_without_specific_experts_is_mmoe(tasks: int, experts: int) -> None:
    setup = setup_of(tasks)
    network = build(tasks, f":levels=1:specific=0:shared={experts}", setup)
    mmoe = network_in(setup, Mmoe, f"mmoe:experts={experts}")
    for output, expected in zip(network(images()), mmoe(images()), strict=True):
        assert torch.equal(output, expected)


@pytest.mark.parametrize("levels", [1, 2, 5])
@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
def test_one_expert_in_each_level_is_the_network_with_branches(backbone: str, levels: int) -> None:
    setup = setup_of(2, backbone, shape=(3, 45, 45))
    network, branches = build(2, f":specific=0:levels={levels}", setup).eval(), Branches(NoOptions(), setup).eval()
    x = torch.randn(2, 3, 45, 45)
    for output, expected in zip(network(x), branches(x), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


def test_gates_that_are_open_to_the_specific_experts_make_a_column_of_each_task() -> None:
    network = build(3)
    first = network.first_stage(images())
    for task in range(3):
        for gate in map(linear, members(network.gates[task])):
            nn.init.zeros_(gate.weight)
            with torch.no_grad():
                gate.bias.copy_(torch.tensor([60.0, 0.0]))
        z = network.own_experts[task][0](network.lower_experts[0][task][0](first))  # type: ignore[index]
        assert torch.allclose(network(images())[task], network.branches[task](z), atol=1e-5)


@pytest.mark.parametrize(
    ("backbone", "levels", "lengths"),
    [
        ("lenet", 1, [2]),
        ("lenet", 2, [1, 1]),
        ("lenet", 7, [1, 1]),
        ("mlp:depth=1", 2, [1]),
        ("vgg11:width=.03", 2, [2, 2]),
        ("segnet:width=.03", 2, [4, 5]),
        ("resnet18:width=.06", 2, [2, 2]),
        ("resnet18:width=.06", 3, [1, 1, 2]),
    ],
)
def test_the_parts_of_a_backbone_are_split_into_levels(backbone: str, levels: int, lengths: list[int]) -> None:
    whole = backbone_of(backbone, shape=(3, 45, 45)).eval()
    split = after_the_first_stage(whole, levels)
    assert [len(part) for part in split] == lengths
    x = torch.randn(2, 3, 45, 45)
    maps = whole.levels()[0](x)
    for part in split:
        maps = part(maps)
    assert torch.equal(maps, whole(x))


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_a_loss_reaches_what_is_shared_and_what_is_the_tasks_own(levels: int) -> None:
    network = build(3, f":levels={levels}", setup_of(3, "resnet18:width=.06", shape=(3, 45, 45)))
    for index in range(3):
        network.zero_grad()
        outputs = network.task_output(torch.randn(4, 3, 45, 45), index)
        outputs.square().sum().backward()  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters():
            part, _, rest = name.partition(".")
            reached = part not in network.per_task or rest.startswith(f"{index}.")
            assert (parameter.grad is not None and bool(parameter.grad.any())) == reached, name


def weights_of(module: nn.Module) -> Tensor:
    return torch.cat([weight.flatten() for weight in module.parameters()])


def test_experts_start_apart_and_one_more_leaves_the_others_as_they_were() -> None:
    few, many = build(2), build(3, ":specific=2:shared=3")
    experts = [
        *members(many.shared_experts[0]),
        *(expert for own in members(many.lower_experts[0]) for expert in members(own)),
    ]
    assert len(experts) == 3 + 3 * 2
    for number, expert in enumerate(experts):
        assert all(not torch.equal(weights_of(expert), weights_of(other)) for other in experts[:number])
    assert torch.equal(weights_of(few.shared_experts[0]), weights_of(many.shared_experts[0][0]))  # type: ignore[index]
    for task in range(2):
        own, others = few.lower_experts[0][task], many.lower_experts[0][task]  # type: ignore[index]
        assert torch.equal(weights_of(own[0]), weights_of(others[0]))


def test_experts_are_asked_once_for_all_tasks_and_a_task_alone_asks_no_others_last_experts() -> None:
    macs = count_macs(build(4).eval(), torch.zeros(1, 1, 28, 28))
    conv2, neck = 8 * 8 * 5_000, 16_000
    below = 24 * 24 * 250 + 5 * conv2 + 10 * 5 + 5 * 320 + neck  # first stage, level 1, shared gate, mixture, level 2
    own = 10 * 2 + 2 * 320 + neck + 20 * 2 + 2 * 50 + 3_000  # gate, mixture, expert, gate, mixture, branch
    assert (macs.per_task, macs.per_input) == (below + own, below + 4 * own)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_it_fits_a_backbone_of_one_stage_whose_expert_is_the_neck(tasks: int) -> None:
    network = build(setup=setup_of(tasks, "mlp:depth=1"))
    outputs = network(images(2))
    assert [tuple(output.shape) for output in outputs] == [(2, 10)] * tasks
