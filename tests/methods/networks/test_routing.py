from functools import partial

import pytest
import torch

from mtbench.train.cost.ledger import parts
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.routing import TaskRouting
from tests.builders.networks import network_of

BACKBONES = ["lenet", "mlp:width=12", "vgg11:width=.05", "resnet18:width=.05"]


build = partial(network_of, TaskRouting)


def masks_of(network: TaskRouting, task: int) -> list[torch.Tensor]:
    """Return a task's masks of LeNet's conv1, conv2 and z."""
    return list(network.masks[task].split([10, 20, 50]))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_it_has_the_weights_of_the_multi_branch_network_and_no_others(tasks: int) -> None:
    counted = {part.name: (part.weights, part.per_task) for part in parts(build("routing", tasks=[10] * tasks))}
    assert counted == {"backbone": (21_250, False), "branches": (3_000 * tasks, True)}


@pytest.mark.parametrize(
    ("ratio", "active"),
    [("0", [10, 20, 50]), (".5", [5, 10, 25]), (".25", [8, 15, 38]), (".33", [7, 14, 34]), ("1", [1, 1, 1])],
)
def test_as_many_units_are_switched_off_as_the_ratio_says_but_never_all(ratio: str, active: list[int]) -> None:
    network = build(f"routing:drop_ratio={ratio}")
    assert torch.equal(network.masks, (network.masks != 0).float())
    for task in range(3):
        assert [int(mask.sum()) for mask in masks_of(network, task)] == active


def test_tasks_take_units_of_their_own_and_a_seed_draws_them_again() -> None:
    masks = build("routing").masks
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[1], masks[2])
    assert torch.equal(masks, build("routing").masks)
    assert not torch.equal(masks, build("routing", seed=1).masks)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_with_nothing_switched_off_it_is_the_multi_branch_network(backbone: str) -> None:
    widths = (4, 7, 2)
    routing = build("routing:drop_ratio=0", backbone, widths).eval()
    branches = network_of(Branches, "branches", backbone, widths).eval()
    images, task = torch.rand(7, 1, 28, 28), torch.tensor([1, 0, 2, 2, 1, 0, 1])
    every, found = branches(images), routing(images, task)
    assert found.shape == (7, 7)
    for row, index in enumerate(task.tolist()):
        assert torch.allclose(found[row, : widths[index]], every[index][row], atol=1e-6)
    for one, other in zip(routing.all_outputs(images), every, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_task_sees_lenet_without_the_units_that_its_masks_switch_off() -> None:
    """The units are taken out of the weights: a channel with no weights and no bias is 0."""
    network = build("routing")
    images = torch.rand(3, 1, 28, 28)
    for task in range(3):
        cut = build("routing:drop_ratio=0")
        layers = ["stages.conv1.pre", "stages.conv2.pre", "neck.1"]
        with torch.no_grad():
            for layer, mask in zip(layers, masks_of(network, task), strict=True):
                cut.backbone.get_parameter(f"{layer}.weight")[mask == 0] = 0
                cut.backbone.get_parameter(f"{layer}.bias")[mask == 0] = 0
        asked = torch.full((3,), task)
        assert torch.allclose(network(images, asked), cut(images, asked), atol=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_row_is_answered_for_its_own_task_alone(backbone: str) -> None:
    network = build("routing", backbone, (4, 7, 2)).eval()
    images, task = torch.rand(5, 1, 28, 28), torch.tensor([2, 0, 1, 1, 0])
    mixed = network(images, task)
    for row in range(5):
        assert torch.allclose(mixed[row], network(images[row : row + 1], task[row : row + 1])[0], atol=1e-5)


def test_a_task_trains_its_own_units_and_branch_alone() -> None:
    network = build("routing")
    network(torch.rand(4, 1, 28, 28), torch.tensor([1, 1, 1, 1])).square().sum().backward()
    gradient = network.backbone.get_parameter("stages.conv2.pre.weight").grad
    assert gradient is not None
    trained = gradient.flatten(1).any(1)
    assert not trained[masks_of(network, 1)[1] == 0].any()
    assert trained.any()
    used = [all(weight.grad is not None for weight in branch.parameters()) for branch in network.branches]
    assert used == [False, True, False]


def test_masks_outlive_training_and_a_checkpoint() -> None:
    network = build("routing")
    before = network.masks.clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 1])).square().sum().backward()
        optimizer.step()
    assert torch.equal(network.masks, before)
    other = build("routing", seed=1)
    other.load_state_dict(network.state_dict())
    assert torch.equal(other.masks, before)
    images, task = torch.rand(3, 1, 28, 28), torch.tensor([2, 1, 0])
    assert torch.equal(other(images, task), network(images, task))
